import type { InputProblem } from '#kernel';
import type { Manifest, PolicyField, RecordKind, RecordName } from './manifest.js';

export interface CheckOptions {
  /** A change of what exists: a required field may be left out, but not emptied. */
  readonly partial?: boolean;
}

const RECORD_OF: Record<RecordKind, RecordName> = {
  lead: 'customer',
  customer: 'customer',
  company: 'company',
  purchase: 'purchase',
  serviceCase: 'serviceCase',
};

/** How records refer to each other: part of the interface, no data about anybody, so no policy names or forbids them. */
const REFERENCES: Record<RecordName, readonly string[]> = {
  customer: ['relationship', 'companyId'],
  company: [],
  purchase: ['customerId'],
  serviceCase: ['customerId', 'purchaseId'],
};

/** Every field that may stand in a record of this kind; a lead's and a customer's with those of its company. */
export const fieldsOf = (manifest: Manifest, kind: RecordKind): readonly PolicyField[] => {
  const own = manifest.records[RECORD_OF[kind]];
  if (kind !== 'lead' && kind !== 'customer') return own;
  const { company, address } = manifest.relationships[kind];
  return [
    ...own.filter(({ field }) => address !== 'forbidden' || !isAddress(field)),
    ...(company === 'forbidden' ? [] : manifest.records.company.map((f) => ({ ...f, field: `company.${f.field}` }))),
  ];
};

const isAddress = (field: string) => field.startsWith('address.');

/** Compares a request body with the catalogue: unknown fields (data minimisation, statement S10) and missing ones (S11). */
export const checkFields = (
  manifest: Manifest,
  kind: RecordKind,
  input: unknown,
  options: CheckOptions,
): InputProblem[] => {
  if (!isObject(input)) return [{ path: '', code: 'not-an-object', message: 'Send a JSON object.' }];
  const fields = fieldsOf(manifest, kind);
  const allowed = new Set([...fields.map(({ field }) => field), ...REFERENCES[RECORD_OF[kind]]]);
  return [
    ...unknownFields(input, allowed),
    ...(kind === 'lead' || kind === 'customer' ? missingParts(manifest, kind, input, options) : []),
    ...fields
      .filter(({ requiredFor }) => requiredFor.includes(kind))
      .flatMap((field) => missing(field, input, options))
      .filter(({ path }, i, all) => all.findIndex((other) => other.path === path) === i),
  ];
};

const unknownFields = (input: Record<string, unknown>, allowed: ReadonlySet<string>): InputProblem[] => {
  const problems: InputProblem[] = [];
  const visit = (value: unknown, shown: string, pattern: string) => {
    if (value === undefined || value === null || allowed.has(pattern)) return;
    if (Array.isArray(value) && inside(`${pattern}[].`))
      value.forEach((item, i) => visit(item, `${shown}[${i}]`, `${pattern}[]`));
    else if (isObject(value) && inside(`${pattern}.`))
      for (const [key, item] of Object.entries(value)) visit(item, `${shown}.${key}`, `${pattern}.${key}`);
    else
      problems.push({
        path: shown,
        code: 'unknown-field',
        message: 'The policy names no such field here, so it is not stored. Leave it out.',
      });
  };
  const inside = (prefix: string) => [...allowed].some((path) => path.startsWith(prefix));
  for (const [key, value] of Object.entries(input)) visit(value, key, key);
  return problems;
};

/** The company and the address as wholes. A company may be given by its id instead. */
const missingParts = (
  manifest: Manifest,
  kind: 'lead' | 'customer',
  input: Record<string, unknown>,
  { partial = false }: CheckOptions,
): InputProblem[] => {
  const { company, address } = manifest.relationships[kind];
  const problems: InputProblem[] = [];
  const absent = (key: string) => (partial ? key in input && isEmpty(input[key]) : isEmpty(input[key]));
  if (company === 'required' && absent('company') && (partial ? absent('companyId') : isEmpty(input['companyId'])))
    problems.push({
      path: 'company',
      code: 'required',
      message: `A ${kind} comes with a company: give companyId, or the company itself.`,
    });
  if (!isEmpty(input['company']) && !isEmpty(input['companyId']))
    problems.push({ path: 'companyId', code: 'ambiguous', message: 'Give companyId or the company itself, not both.' });
  if (company === 'forbidden' && !isEmpty(input['companyId']))
    problems.push({
      path: 'companyId',
      code: 'unknown-field',
      message: `The policy has no company for a ${kind}. Leave it out.`,
    });
  if (address === 'required' && absent('address'))
    problems.push({ path: 'address', code: 'required', message: `A ${kind} comes with an address.` });
  return problems;
};

/** One required field. `company.name` is asked for where a company was given: whether one must be is `missingParts`' to say. */
const missing = (
  { field, whenGiven = false }: PolicyField,
  input: Record<string, unknown>,
  { partial = false }: CheckOptions,
): InputProblem[] => {
  const problems: InputProblem[] = [];
  const demand = (path: string) =>
    problems.push({ path, code: 'required', message: 'The policy requires this field.' });
  const visit = (value: unknown, [head, ...rest]: readonly string[], before: string): void => {
    // What is of the wrong form is no matter of the policy: the request's own check has named it.
    if (head === undefined || !isObject(value)) return;
    const key = head.replace('[]', '');
    const path = before + key;
    const child = value[key];
    if (partial && !(key in value)) return;
    if (rest.length === 0) {
      if (isEmpty(child)) demand(path);
    } else if (isEmpty(child)) {
      // A list that is empty lacks its first item, not each of that item's fields.
      if (!whenGiven && path !== 'company') demand(head === key ? [path, ...rest].join('.') : path);
    } else if (Array.isArray(child)) child.forEach((item, i) => visit(item, rest, `${path}[${i}].`));
    else visit(child, rest, `${path}.`);
  };
  visit(input, field.split('.'), '');
  return problems;
};

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isEmpty = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  (typeof value === 'string' && value.trim() === '') ||
  (Array.isArray(value) && value.length === 0);
