import { readFileSync } from 'node:fs';
import type { ValidateFunction } from 'ajv';
import { Ajv } from 'ajv';

interface Schema {
  readonly [keyword: string]: unknown;
}
interface Response {
  readonly content?: Readonly<Record<string, { readonly schema: Schema }>>;
}
interface Document {
  readonly paths: Readonly<
    Record<string, Readonly<Record<string, { readonly responses: Readonly<Record<string, Response>> }>>>
  >;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

/** An answer as it came over the wire. */
export interface SeenAnswer {
  readonly method: string;
  /** With or without an address in front and a query behind. */
  readonly url: string;
  readonly status: number;
  readonly contentType: string;
  readonly text: string;
}

const { paths, components } = JSON.parse(readFileSync('docs/openapi.json', 'utf8')) as Document;

/**
 * OpenAPI 3.0 as JSON Schema. Stricter than the document: a member that it does not name is a mistake of the document, so
 * no answer may have one.
 */
const jsonSchemaOf = (schema: unknown): unknown => {
  if (typeof schema !== 'object' || schema === null) return schema;
  if (Array.isArray(schema)) return schema.map(jsonSchemaOf);
  const { nullable, example: _, ...rest } = schema as Schema;
  const said: Record<string, unknown> = Object.fromEntries(
    Object.entries(rest).map(([keyword, value]) => [keyword, jsonSchemaOf(value)]),
  );
  if (said['properties'] && said['additionalProperties'] === undefined) said['additionalProperties'] = false;
  if (typeof said['$ref'] === 'string') said['$ref'] = `document${said['$ref']}`;
  return nullable === true ? { anyOf: [said, { type: 'null' }] } : said;
};

const ajv = new Ajv({ strict: false, validateFormats: false, allErrors: true });
ajv.addSchema({ $id: 'document', components: jsonSchemaOf(components) } as object);
const compiled = new Map<Schema, ValidateFunction>();
const validatorOf = (schema: Schema): ValidateFunction => {
  const known = compiled.get(schema) ?? ajv.compile(jsonSchemaOf(schema) as object);
  compiled.set(schema, known);
  return known;
};

// The more there is of a path that is no parameter, the earlier it is tried: `/customers/search` is no customer.
const templates = Object.keys(paths)
  .sort((a, b) => a.split('{').length - b.split('{').length)
  .map((path) => ({ path, matches: new RegExp(`^${path.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^/]+')}$`) }));

/** An answer that the document does not know. Whoever sends again what was not answered lets it through. */
export class Undocumented extends Error {
  override readonly name = 'Undocumented';
}

/** Throws Undocumented where an answer is not what docs/openapi.json says of its route. What is no route of the document is let be. */
export const asDocumented = <T extends SeenAnswer>(answer: T): T => {
  const { method, url, status, contentType, text } = answer;
  const pathname = url.replace(/^https?:\/\/[^/]+/, '').replace(/[?#][^]*$/, '');
  const template = templates.find(({ matches }) => matches.test(pathname));
  const responses = template && paths[template.path]![method.toLowerCase()]?.responses;
  if (!responses) return answer;
  const route = `${method} ${template.path} answered ${status} (${contentType})`;
  const response = responses[status] ?? (status >= 400 ? responses['default'] : undefined);
  const schema = response?.content?.[contentType.split(';')[0]!]?.schema;
  if (!schema) throw new Undocumented(`${route}, which docs/openapi.json does not say`);
  if (!contentType.includes('json')) return answer;
  const validate = validatorOf(schema);
  if (validate(JSON.parse(text))) return answer;
  const problems = validate.errors!.map((e) => `${e.instancePath} ${e.message} ${JSON.stringify(e.params)}`);
  throw new Undocumented(`${route}, not as docs/openapi.json says:\n${problems.join('\n')}`);
};
