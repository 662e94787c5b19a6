/** Stands in every value and name that is made up here: nothing that the api says, logs or stores in clear may hold it. */
export const MARK = 'Xq7Mark';

/** Text that no field takes, whatever it is for. */
export const BROKEN_TEXT: Readonly<Record<string, string>> = {
  'a NUL byte': `${MARK}\u0000`,
  'an escape sequence': `${MARK}\u001b[2J`,
  'half a surrogate pair': `${MARK}\ud800`,
  'the other half': `\udc00${MARK}`,
  'too long': MARK.repeat(2_000),
};

/** Text that means something elsewhere. A name may be like this, an id or a date may not. */
export const INJECTIONS: Readonly<Record<string, string>> = {
  SQL: `${MARK}'; drop table customer_card; --`,
  'a template': `{{${MARK}}}\${${MARK}}<%= ${MARK} %>`,
  'a script': `<script>${MARK}</script>`,
  'a header': `${MARK}\r\nSet-Cookie: a=b`,
  'a path': `../../../etc/${MARK}`,
  'a prototype': '__proto__',
};

/** Fields in which any text is a value. */
const FREE = new Set([
  ...['name', 'description', 'itemType', 'serialNumber', 'street', 'city', 'postalCode', 'place', 'number'],
  ...['legalForm', 'text', 'note', 'key', 'organisationNumber'],
]);

/** A body with one thing wrong; `free` where what is wrong may be right for a person's name. */
export interface Spoilt {
  readonly what: string;
  readonly body: unknown;
  readonly free: boolean;
}

type Json = Record<string, unknown>;

/** Every way to spoil one place of a good body. What stands below `record` is judged row by row, and left alone. */
export function* spoil(good: Json): Generator<Spoilt> {
  for (const path of placesIn(good)) {
    const key = path.at(-1);
    const value = at(good, path);
    for (const [what, wrong] of wrongFor(value))
      yield { what: named(path, what), body: set(good, path, wrong), free: false };
    if (typeof value !== 'string') continue;
    for (const [what, text] of Object.entries(BROKEN_TEXT))
      yield { what: named(path, what), body: set(good, path, text), free: false };
    for (const [what, text] of Object.entries(INJECTIONS))
      yield FREE.has(String(key))
        ? // Taken, and given back to whoever reads it later: not by the mark, which nothing may repeat.
          { what: named(path, what), body: set(good, path, text.replaceAll(MARK, 'Kept')), free: true }
        : { what: named(path, what), body: set(good, path, text), free: false };
  }
  for (const path of [[], ...placesIn(good)]) {
    const value = at(good, path);
    if (typeof value === 'object' && value !== null && !Array.isArray(value) && path.at(-1) !== 'record')
      for (const name of [MARK, 'constructor', 'toString', 'hasOwnProperty'])
        yield { what: named(path, `an unknown field ${name}`), body: set(good, [...path, name], MARK), free: false };
  }
  for (const whole of [[good], MARK, 12, null, true])
    yield { what: `the whole is ${typeof whole}`, body: whole, free: false };
}

function* wrongFor(value: unknown): Generator<[string, unknown]> {
  const all: [string, unknown][] = [
    ['a huge number', 1e308],
    ['true', true],
    ['text', MARK],
    ['a list', [MARK]],
    ['an object', { [MARK]: MARK }],
  ];
  const fits = { number: '', boolean: 'true', string: 'text', object: Array.isArray(value) ? '' : 'record' };
  for (const one of all) if (one[0] !== fits[typeof value as keyof typeof fits]) yield one;
  if (typeof value === 'number') yield* [['a negative number', -1] as [string, unknown], ['a fraction', 1.5]];
  if (Array.isArray(value)) yield ['an empty list', []];
}

const placesIn = (value: unknown, path: readonly (string | number)[] = []): (readonly (string | number)[])[] => {
  if (typeof value !== 'object' || value === null || path.at(-1) === 'record') return [];
  const keys = Array.isArray(value) ? [...value.keys()] : Object.keys(value);
  return keys.flatMap((key) => {
    const place = [...path, key];
    return [place, ...placesIn((value as Json)[key], place)];
  });
};

const at = (value: unknown, path: readonly (string | number)[]): unknown =>
  path.reduce((inner, key) => (inner as Json)[key], value);

const set = (good: Json, path: readonly (string | number)[], value: unknown): Json => {
  const copy = structuredClone(good);
  (at(copy, path.slice(0, -1)) as Json)[path.at(-1)!] = value;
  return copy;
};

const named = (path: readonly (string | number)[], what: string): string => `${path.join('.') || 'body'}: ${what}`;
