import { readFile } from 'node:fs/promises';
import { Ajv } from 'ajv';
import { parse } from 'yaml';
import { COUNTRIES } from './countries.js';

/** How one field of a record comes out of the columns. A bare string is the column's name. */
export type FieldMapping =
  | string
  | {
      readonly column?: string;
      readonly join?: readonly string[];
      readonly separator?: string;
      readonly constant?: string;
      /** `YYYY-MM-DD`-like pattern of Y, M, D, H, m, s; the result is a date, or an instant when hours are named (Europe/Oslo). */
      readonly date?: string;
      /** `country`: English name or ISO 3166 code to the two-letter code. `day`: only the date, even where hours are named. */
      readonly as?: 'country' | 'day';
      readonly default?: string;
    };

/** Kinds of records, in the words of the route. */
export const IMPORT_KINDS = ['customers', 'purchases', 'service'] as const;

export interface Mapping {
  readonly kind: (typeof IMPORT_KINDS)[number];
  /** Name of the source system; with the key it makes the import repeatable. */
  readonly source: string;
  /** Column with the source's own key of the record. */
  readonly key: string;
  /** Column with the source's key of the customer (purchases, service). */
  readonly customerKey?: string;
  readonly fields: Readonly<Record<string, FieldMapping>>;
  /** A second file, sorted alike, whose rows become a list of this record. */
  readonly merge?: {
    readonly file: string;
    readonly on: string;
    readonly as: string;
    readonly fields: Readonly<Record<string, FieldMapping>>;
  };
}

const FIELD = {
  oneOf: [
    { type: 'string' },
    {
      type: 'object',
      additionalProperties: false,
      minProperties: 1,
      properties: {
        column: { type: 'string' },
        join: { type: 'array', items: { type: 'string' }, minItems: 1 },
        separator: { type: 'string' },
        constant: { type: 'string' },
        date: { type: 'string' },
        as: { enum: ['country', 'day'] },
        default: { type: 'string' },
      },
    },
  ],
};
const FIELDS = { type: 'object', minProperties: 1, additionalProperties: FIELD };
const validate = new Ajv({ allErrors: true, allowUnionTypes: true }).compile({
  type: 'object',
  additionalProperties: false,
  required: ['kind', 'source', 'key', 'fields'],
  properties: {
    kind: { enum: IMPORT_KINDS },
    source: { type: 'string', pattern: '^[a-z][a-z0-9-]{0,31}$' },
    key: { type: 'string' },
    customerKey: { type: 'string' },
    fields: FIELDS,
    merge: {
      type: 'object',
      additionalProperties: false,
      required: ['file', 'on', 'as', 'fields'],
      properties: { file: { type: 'string' }, on: { type: 'string' }, as: { type: 'string' }, fields: FIELDS },
    },
  },
});

/** Reads and checks a mapping file. Throws with all problems at once, by place. */
export const loadMapping = async (file: string): Promise<Mapping> => {
  const mapping: unknown = parse(await readFile(file, 'utf8'));
  if (!validate(mapping))
    throw new Error(
      `${file} is not a valid mapping:\n  ${validate.errors!.map((e) => `${e.instancePath || '/'} ${e.message}`).join('\n  ')}`,
    );
  return mapping as Mapping;
};

/** The columns that a mapping names, to be held against the heading before anything is sent. */
export const columnsOf = (fields: Mapping['fields']): readonly string[] =>
  Object.values(fields).flatMap((field) =>
    typeof field === 'string'
      ? [field]
      : [...(field.column === undefined ? [] : [field.column]), ...(field.join ?? [])],
  );

/** A field that a row fills wrongly; says which and why, never the value. */
export class MappingProblem extends Error {}

/** Builds a record: dotted field names nest, empty values are left out. Throws MappingProblem. */
export const recordOf = (
  fields: Mapping['fields'],
  columns: Readonly<Record<string, string>>,
): Record<string, unknown> => {
  const record: Record<string, unknown> = {};
  for (const [path, field] of Object.entries(fields)) {
    const value = valueOf(path, field, columns);
    if (value === '') continue;
    const steps = path.split('.');
    let at = record;
    for (const step of steps.slice(0, -1)) at = (at[step] ??= {}) as Record<string, unknown>;
    at[steps.at(-1)!] = value;
  }
  return record;
};

const valueOf = (path: string, field: FieldMapping, columns: Readonly<Record<string, string>>): string => {
  if (typeof field === 'string') return (columns[field] ?? '').trim();
  const parts = (field.join ?? (field.column === undefined ? [] : [field.column]))
    .map((column) => (columns[column] ?? '').trim())
    .filter((part) => part !== '');
  const value = field.constant ?? (parts.length > 0 ? parts.join(field.separator ?? ' ') : (field.default ?? ''));
  if (value === '') return '';
  if (field.as === 'country') return countryOf(path, value);
  return field.date === undefined ? value : dateOf(path, value, field.date, field.as === 'day');
};

const countryOf = (path: string, value: string): string => {
  if (/^[A-Z]{2}$/.test(value)) return value;
  const code = COUNTRIES.get(value.toLowerCase());
  if (!code) throw new MappingProblem(`${path}: the country is not known by that name; use its two-letter code`);
  return code;
};

const dateOf = (path: string, value: string, pattern: string, dayOnly: boolean): string => {
  const names: string[] = [];
  const source = pattern.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/(Y+|M+|D+|H+|m+|s+)/g, (run) => {
    names.push(run[0]!);
    return run[0] === 'Y' ? '(\\d{4})' : '(\\d{1,2})';
  });
  const found = new RegExp(`^${source}$`).exec(value);
  if (!found) throw new MappingProblem(`${path}: the date is not of the form ${pattern}`);
  const part = (name: string, fallback: string) => {
    const index = names.indexOf(name);
    return index < 0 ? fallback : found[index + 1]!.padStart(2, '0');
  };
  const day = `${part('Y', '')}-${part('M', '01')}-${part('D', '01')}`;
  if (new Date(`${day}T00:00:00Z`).toISOString().slice(0, 10) !== day)
    throw new MappingProblem(`${path}: there is no such day`);
  return names.includes('H') && !dayOnly
    ? osloInstant(day, `${part('H', '00')}:${part('m', '00')}:${part('s', '00')}`)
    : day;
};

const OSLO = new Intl.DateTimeFormat('sv-SE', { timeZone: 'Europe/Oslo', dateStyle: 'short', timeStyle: 'medium' });
/** The instant at which clocks in Europe/Oslo showed this local time (the first of two in the hour that autumn repeats). */
const osloInstant = (day: string, time: string): string => {
  const asUtc = Date.parse(`${day}T${time}Z`);
  for (const offsetHours of [2, 1]) {
    const instant = new Date(asUtc - offsetHours * 3_600_000);
    if (OSLO.format(instant) === `${day} ${time}`) return instant.toISOString();
  }
  return new Date(asUtc - 3_600_000).toISOString();
};
