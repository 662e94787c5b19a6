import { readFileSync } from 'node:fs';
import type { ErrorObject } from 'ajv';
import { Ajv } from 'ajv';
import type { Problem } from './manifest-document.js';

/** The form of a manifest: JSON Schema, draft 7. */
export const MANIFEST_SCHEMA = JSON.parse(
  readFileSync(new URL('./manifest.schema.json', import.meta.url), 'utf8'),
) as ManifestSchema;
type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };
type ManifestSchema = { readonly [name: string]: Json } & { readonly definitions: { readonly [name: string]: Json } };

const validate = new Ajv({ allErrors: true, useDefaults: true, verbose: true, strict: true }).compile(MANIFEST_SCHEMA);

/** What a manifest's form has wrong, as sentences; also fills in what the schema gives a default. */
export const schemaProblems = (value: unknown): readonly Problem[] => {
  if (validate(value)) return [];
  const problems = (validate.errors ?? []).flatMap((error) => {
    const message = sentenceOf(error, value);
    return message === undefined ? [] : [{ at: pathOf(error.instancePath), message }];
  });
  return problems.filter((problem, i) => problems.findIndex((other) => other.message === problem.message) === i);
};

const pathOf = (pointer: string): (string | number)[] =>
  pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((part) => (/^\d+$/.test(part) ? Number(part) : part));

/** The text for one fault; undefined for those that only say that another one stands inside. */
const sentenceOf = (error: ErrorObject, manifest: unknown): string | undefined => {
  const where = placeOf(error.instancePath, manifest);
  const expected = (error.parentSchema as { description?: string } | undefined)?.description;
  switch (error.keyword) {
    case 'required': {
      const name = String(error.params['missingProperty']);
      if (name === 'maximum')
        return `${where} has no maximum. Nothing about a person may be kept without an end (GDPR art. 5(1)(e)): give the longest period, e.g. maximum: P5Y.`;
      return `${where} lacks "${name}". Add it.`;
    }
    case 'additionalProperties':
      return `${where} has "${String(error.params['additionalProperty'])}", which means nothing here. Check the spelling, or take it out.`;
    case 'enum':
      return `${where} must be one of: ${(error.params['allowedValues'] as unknown[]).join(', ')}.`;
    case 'const':
      return error.params['allowedValue'] === 'any'
        ? undefined
        : `${where} must be ${String(error.params['allowedValue'])}.`;
    case 'pattern':
      return `${where} must be ${expected ?? 'of another form'}.`;
    case 'type':
      return `${where} must be ${ARTICLES[String(error.params['type'])] ?? String(error.params['type'])}.`;
    case 'minItems':
      return `${where} needs at least ${String(error.params['limit'])}.`;
    case 'uniqueItems':
      return `${where} names the same twice. Take one out.`;
    case 'minimum':
    case 'maximum':
      return `${where} must be ${String(error.params['comparison'])} ${String(error.params['limit'])}.`;
    case 'propertyNames':
    case 'anyOf':
      return undefined;
    default:
      return `${where} ${error.message ?? 'is not valid'}.`;
  }
};

const ARTICLES: Record<string, string> = {
  string: 'a text (in quotation marks, where it looks like a number)',
  object: 'a group of named entries',
  array: 'a list',
  boolean: 'true or false',
  integer: 'a whole number',
  number: 'a number',
};

/** `Retention rule "leads", maximum`, `Field "phone" of customer`: the names that people gave, not the position in the file. */
const placeOf = (pointer: string, manifest: unknown): string => {
  const path = pathOf(pointer);
  const values = path.map((_, i) => path.slice(0, i + 1).reduce(inside, manifest));
  const words = path.map((key, i) => (typeof key === 'number' ? quoted(values[i], key) : (LISTS[key] ?? key)));
  const [list, record, field, ...rest] = words;
  const text =
    path[0] === 'records' && field !== undefined
      ? [`field ${field} of ${record}`, ...rest].join(', ')
      : typeof path[1] === 'number'
        ? [`${list} ${record}`, ...words.slice(2)].join(', ')
        : words.join(', ');
  return text === '' ? 'The manifest' : text.charAt(0).toUpperCase() + text.slice(1);
};

const inside = (value: unknown, key: string | number): unknown =>
  (value as Record<string | number, unknown> | null | undefined)?.[key];
const quoted = (value: unknown, index: number): string => {
  const name = nameOf(value);
  return name === undefined ? `number ${index + 1}` : `"${name}"`;
};
const LISTS: Record<string, string> = {
  retention: 'retention rule',
  purposes: 'purpose',
  rights: 'right',
  processors: 'processor',
};
const nameOf = (value: unknown): string | undefined => {
  if (typeof value !== 'object' || value === null) return undefined;
  const named = value as { id?: unknown; field?: unknown; name?: unknown };
  return [named.id, named.field, named.name].find((name): name is string => typeof name === 'string');
};
