import { MANIFEST_SCHEMA } from '#policy';

type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };
type Schemas = Readonly<Record<string, object>>;

/**
 * The form of a policy manifest (JSON Schema draft 7) in the words of OpenAPI 3.0: `PolicyManifest`, and `Policy…` for
 * each of its definitions. So the answer of `GET /v1/policy` is described by the very schema that manifests are checked by.
 */
export const manifestSchemas = (): Schemas => {
  const { definitions, ...manifest } = MANIFEST_SCHEMA;
  return Object.fromEntries([
    ['PolicyManifest', translated(manifest) as object],
    ...Object.entries(definitions).map(([name, schema]) => [nameOf(name), translated(schema) as object] as const),
  ]);
};

const nameOf = (definition: string): string => `Policy${definition[0]!.toUpperCase()}${definition.slice(1)}`;

/** What OpenAPI 3.0 has no word for is said otherwise (`const`) or left unsaid (`propertyNames`, `$schema`). */
const translated = (schema: Json): Json => {
  if (typeof schema !== 'object' || schema === null) return schema;
  if (Array.isArray(schema)) return schema.map(translated);
  const said = Object.entries(schema).flatMap(([name, value]): [string, Json][] => {
    if (name === '$schema' || name === 'propertyNames') return [];
    if (name === 'const') return [['enum', [value as Json]]];
    if (name === '$ref') return [[name, `#/components/schemas/${nameOf((value as string).split('/').at(-1)!)}`]];
    return [[name, translated(value as Json)]];
  });
  return Object.fromEntries(said);
};
