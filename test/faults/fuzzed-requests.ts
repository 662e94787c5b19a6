import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import type { TokenRole } from '#tokens';
import { TOKEN_ROLES } from '#tokens';
import type { World } from './good-requests.js';
import { BROKEN_TEXT, INJECTIONS, MARK } from './spoiling.js';

/** What is read of the OpenAPI document. */
interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly allOf?: readonly Schema[];
  readonly enum?: readonly string[];
  readonly format?: string;
  readonly pattern?: string;
  readonly example?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly nullable?: boolean;
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
}
interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly schema: Schema;
}
interface Operation {
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> };
  readonly 'x-roles': readonly string[];
}
interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

export interface FuzzedRequest {
  readonly role: TokenRole | undefined;
  readonly method: 'GET' | 'POST' | 'PATCH';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** As it goes over the wire. */
  readonly payload?: string;
}

const document = JSON.parse(readFileSync('docs/openapi.json', 'utf8')) as Document;

const LIKELY: Readonly<Record<string, string>> = {
  ...{ phone: '90012345', email: 'kari@vik.no', organisationNumber: '974760673', country: 'NO', legalForm: 'AS' },
  ...{
    invoiceEmail: 'faktura@fjord.no',
    ground: 'subject-request',
    purchasedAt: '2026-03-10',
    takenOverAt: '2026-03-11',
  },
  ...{ currency: 'NOK', source: 'webshop', by: 'month', cursor: '' },
};

const hostile = fc.oneof(
  fc.constantFrom(...Object.values(BROKEN_TEXT), ...Object.values(INJECTIONS)),
  fc.string({ unit: 'binary', maxLength: 40 }).map((text) => `${MARK}${text}`),
);
const anything = fc.oneof(
  { weight: 3, arbitrary: hostile },
  fc.constantFrom<unknown>(null, true, 0, -1, 1e308, 1.5, '', [], {}, [[]], 2 ** 53),
  fc.object({ key: fc.oneof(fc.constantFrom('constructor', 'then', 'toString', MARK), fc.string()), maxDepth: 3 }),
);
const moment = fc.date({ noInvalidDate: true, min: new Date(0), max: new Date('2100-01-01') });

/** Requests as the document describes them, some of them spoilt in one place or many. */
export const fuzzedRequests = (world: World): fc.Arbitrary<FuzzedRequest> => {
  const ids = fc.constantFrom(...Object.values(world));

  const fitting = (schema: Schema): fc.Arbitrary<unknown> => {
    const value = fittingOf(schema);
    return schema.nullable ? fc.option(value) : value;
  };
  const fittingOf = (schema: Schema): fc.Arbitrary<unknown> => {
    if (schema.$ref) return fitting(document.components.schemas[schema.$ref.split('/').at(-1)!]!);
    if (schema.allOf) return fitting(schema.allOf[0]!);
    if (schema.enum) return fc.constantFrom(...schema.enum);
    if (schema.format === 'uuid') return ids;
    if (schema.format === 'date') return moment.map((date) => date.toISOString().slice(0, 10));
    if (schema.format === 'date-time') return moment.map((date) => date.toISOString());
    if (schema.pattern) return fc.oneof(fc.constant(schema.example), fc.stringMatching(new RegExp(schema.pattern)));
    const { minLength = 0, maxLength = 20, minimum = 0, maximum = 100, properties = {}, required = [] } = schema;
    if (schema.type === 'integer' || schema.type === 'number') return fc.integer({ min: minimum, max: maximum });
    if (schema.type === 'boolean') return fc.boolean();
    if (schema.type === 'array') return fc.array(fitting(schema.items ?? {}), { minLength: 1, maxLength: 3 });
    if (schema.type === 'string')
      return fc.string({ unit: 'grapheme', minLength, maxLength: Math.max(minLength, Math.min(maxLength, 60)) });
    const members = Object.entries(properties).map(([name, one]) => [name, mostly(likely(name, one))] as const);
    return fc.record(Object.fromEntries(members), { requiredKeys: [...required] });
  };
  /** The policy asks more of some fields than the document says. */
  const likely = (name: string, schema: Schema): fc.Arbitrary<unknown> => {
    const good = LIKELY[name];
    return good === undefined
      ? fitting(schema)
      : fc.oneof({ weight: 9, arbitrary: fc.constant(good) }, fitting(schema));
  };
  /** One value in fifteen is something else. */
  const mostly = (arbitrary: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
    fc.oneof({ weight: 14, arbitrary }, { weight: 1, arbitrary: anything });

  const bodyOf = ({ requestBody }: Operation): fc.Arbitrary<string | undefined> => {
    const schema = requestBody?.content['application/json']?.schema;
    const noBody = fc.constant(undefined);
    const good = schema ? fitting(schema).map((body) => JSON.stringify(body)) : noBody;
    const cut = fc.tuple(good, fc.nat(200)).map(([text = '{}', at]) => text.slice(0, at));
    return fc.oneof(
      { weight: 8, arbitrary: good },
      { weight: 1, arbitrary: anything.map((body) => JSON.stringify(body)) },
      { weight: 1, arbitrary: fc.oneof(cut, hostile, noBody) },
    );
  };

  const headersOf = (method: string, { parameters = [] }: Operation): fc.Arbitrary<Record<string, string>> => {
    const known: Record<string, fc.Arbitrary<string>> = {
      'makuler-purpose': fc.constantFrom('avtale', 'kundehjelp', 'rettigheter', 'bokforing', 'tilbud'),
      'makuler-after': fc.constantFrom('0', '1', '2'),
      'idempotency-key': fc.uuid(),
      'if-match': fc.constantFrom('"0"', '"1"', '"99"'),
    };
    // What is no header at all never gets through a parser of HTTP.
    const wrong = hostile.map((text) => text.replaceAll(/[^\x20-\x7e]/g, '~').slice(0, 500));
    const numbers = fc.constantFrom('9223372036854775808', '9999999999999999999', '-1', '1e3', '0x1', '00', '');
    const arbitraries = parameters
      .map(({ name }) => name.toLowerCase())
      .flatMap((name) => {
        const good = known[name];
        return good ? [[name, fc.oneof({ weight: 10, arbitrary: good }, wrong, numbers)] as const] : [];
      });
    const requiredKeys =
      method === 'GET' ? [] : arbitraries.map(([name]) => name).filter((name) => name !== 'makuler-purpose');
    return fc.oneof(
      {
        weight: 12,
        arbitrary: fc.record(Object.fromEntries(arbitraries), { requiredKeys }) as fc.Arbitrary<Record<string, string>>,
      },
      { weight: 1, arbitrary: fc.constant({}) },
    );
  };

  const urlOf = (path: string, { parameters = [] }: Operation): fc.Arbitrary<string> => {
    const text = (value: unknown) =>
      encodeURIComponent((typeof value === 'string' ? value : JSON.stringify(value)).toWellFormed());
    const inPath = parameters.filter((parameter) => parameter.in === 'path');
    const inQuery = parameters.filter((parameter) => parameter.in === 'query');
    const goodPath = ({ schema }: Parameter) => (schema.type === 'string' && !schema.enum ? ids : fitting(schema));
    const places = fc.tuple(...inPath.map((parameter) => mostly(goodPath(parameter))));
    const query = fc.record(
      Object.fromEntries(inQuery.map(({ name, schema }) => [name, mostly(likely(name, schema))])),
      {
        requiredKeys: [],
      },
    );
    const more = fc.oneof(
      { weight: 20, arbitrary: fc.constant('') },
      hostile.map((extra) => `${text(extra)}=${text(extra)}`),
      fc.constant('%ff=%zz'),
    );
    return fc.tuple(places, query, more).map(([values, asked, extra]) => {
      const filled = inPath.reduce((url, { name }, n) => url.replace(`{${name}}`, text(values[n])), path);
      const pairs = Object.entries(asked).map(([name, value]) => `${name}=${text(value)}`);
      return [filled, [...pairs, ...(extra ? [extra] : [])].join('&')].filter((part) => part !== '').join('?');
    });
  };

  const roleOf = ({ 'x-roles': admitted }: Operation): fc.Arbitrary<TokenRole | undefined> => {
    const right = TOKEN_ROLES.filter((role) => admitted.includes(role));
    const any = fc.constantFrom(undefined, ...TOKEN_ROLES);
    return right.length === 0
      ? any
      : fc.oneof({ weight: 19, arbitrary: fc.constantFrom(...right) }, { weight: 1, arbitrary: any });
  };

  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, operation, method: method.toUpperCase() as 'GET' })),
  );
  return fc.oneof(
    ...operations.map(({ path, operation, method }) =>
      fc
        .tuple(roleOf(operation), urlOf(path, operation), headersOf(method, operation), bodyOf(operation))
        .map(([role, url, headers, payload]): FuzzedRequest => {
          const sent = method === 'GET' || payload === undefined ? {} : { payload };
          const type: Record<string, string> = 'payload' in sent ? { 'content-type': 'application/json' } : {};
          return { role, method, url, headers: { ...headers, ...type }, ...sent };
        }),
    ),
  );
};
