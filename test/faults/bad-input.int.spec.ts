import { readFileSync } from 'node:fs';
import type { InjectOptions } from 'fastify';
import { ACCESS_MATRIX } from './access-matrix.js';
import { flawsOf, flawsOfRefusal } from './clean-refusal.js';
import type { GoodRequest, World } from './good-requests.js';
import { fill, GOOD_REQUESTS } from './good-requests.js';
import { BROKEN_TEXT, INJECTIONS, MARK, spoil } from './spoiling.js';
import { WholeApi } from './whole-api.js';

type Method = 'GET' | 'POST' | 'PATCH';
const METHODS = (route: string) => route.split(' ')[0] as Method;
const ROUTES = Object.entries(GOOD_REQUESTS).map(([route, good]) => ({ route, method: METHODS(route), good }));
const WITH_BODY = ROUTES.filter(({ good }) => good.body !== undefined);
const COMMANDS = ROUTES.filter(({ route, method }) => method === 'POST' && route !== 'POST /v1/customers/search');
const { paths } = JSON.parse(readFileSync('docs/openapi.json', 'utf8')) as {
  paths: Record<string, Record<string, { parameters?: { name: string }[] }>>;
};
const takesPurpose = (route: string): boolean => {
  const [method, path] = route.split(' ') as [string, string];
  const documented = paths[path.replace(/:(\w+)/g, '{$1}')]?.[method.toLowerCase()];
  return documented?.parameters?.some(({ name }) => name === 'Makuler-Purpose') ?? false;
};
const HOSTILE = { ...BROKEN_TEXT, ...INJECTIONS };

/** A question about any text is answered, and a row of an import is rejected in the answer, beside the others. */
const isJudgedLater = (route: string, what: string): boolean =>
  (route === 'POST /v1/customers/search' && Object.keys(INJECTIONS).some((name) => what.endsWith(name))) ||
  what.startsWith('rows.0.record: an object');
const IS_KEY = /^[\x21-\x7e]{8,200}$/;

describe('bad input', () => {
  let api: WholeApi;
  let world: World;
  beforeAll(async () => {
    api = await WholeApi.start();
    world = await fill(api);
  });
  afterAll(async () => {
    expect(api.logged.join('').toLowerCase()).not.toContain(MARK.toLowerCase());
    await api.stop();
  });
  // Whatever was sent before: the next one who comes is served.
  afterEach(async () => {
    const { role, url, body } = GOOD_REQUESTS['POST /v1/customers']!;
    const headers = { 'idempotency-key': api.nextKey() };
    const made = await api.call(role!, { method: 'POST', url: url(world), payload: body!(world), headers });
    expect(made.statusCode).toBe(201);
  });

  const request = (method: Method, { url, body }: GoodRequest): InjectOptions => ({
    ...{ method, url: url(world) },
    ...(body ? { payload: body(world) } : {}),
    headers: {
      ...(method === 'GET' ? {} : { 'idempotency-key': api.nextKey() }),
      ...(method === 'PATCH' ? { 'if-match': '"0"' } : {}),
    },
  });
  const refusals = async (cases: Iterable<[string, GoodRequest, InjectOptions, boolean?]>) => {
    const flawed: string[] = [];
    for (const [what, { role }, sent, free] of cases)
      for (const flaw of await flawsOfRefusal(api, role, sent, { free: free ?? false }))
        flawed.push(`${what}: ${flaw}`);
    return flawed;
  };

  it('is sent to every route', () =>
    expect(Object.keys(GOOD_REQUESTS).sort()).toEqual(Object.keys(ACCESS_MATRIX).sort()));

  it.each(WITH_BODY)('in any place of the body of $route', async ({ route, method, good }) => {
    const cases = [...spoil(good.body!(world))].map(
      ({ what, body, free }): [string, GoodRequest, InjectOptions, boolean] => {
        const sent = request(method, good);
        const headers = { ...sent.headers, 'content-type': 'application/json' };
        return [what, good, { ...sent, headers, payload: JSON.stringify(body) }, free || isJudgedLater(route, what)];
      },
    );
    expect(await refusals(cases)).toEqual([]);
  });

  it.each(WITH_BODY)('as the bytes of the body of $route', async ({ method, good }) => {
    const text = JSON.stringify(good.body!(world));
    const deep = (open: string, close: string) => open.repeat(50_000) + close.repeat(50_000);
    const bodies: Record<string, string | Buffer> = {
      'broken UTF-8': Buffer.concat([Buffer.from('{"name":"'), Buffer.from([0xc3, 0x28, 0xff]), Buffer.from('"}')]),
      'UTF-16': Buffer.from(text, 'utf16le'),
      nothing: '',
      'half of it': text.slice(0, -1),
      'something behind it': `${text} ${MARK}`,
      'no JSON': `${MARK}: yes`,
      'a number without end': `{"${MARK}": 1${'0'.repeat(10_000)}}`,
      'deep lists': deep('[', ']'),
      'deep objects': deep(`{"${MARK}":`, '1}').replace(/1\}1/g, '1}}'),
      'deep enough to end a stack of checks': `{"${MARK}":${'['.repeat(5_000)}${']'.repeat(5_000)}}`,
      'too much of it': JSON.stringify({ [MARK]: 'x'.repeat(5_000_000) }),
      'a thousand fields': JSON.stringify(
        Object.fromEntries(Array.from({ length: 1_000 }, (_, n) => [`${MARK}${n}`, n])),
      ),
      'a poisoned prototype': `{"__proto__": {"${MARK}": 1}}`,
      'a poisoned constructor': `{"constructor": {"prototype": {"${MARK}": 1}}}`,
      'names of methods': '{"hasOwnProperty": 1, "toString": 2, "then": 3, "valueOf": 4}',
    };
    const cases = Object.entries(bodies).map(([what, payload]): [string, GoodRequest, InjectOptions] => {
      const sent = request(method, good);
      return [what, good, { ...sent, payload, headers: { ...sent.headers, 'content-type': 'application/json' } }];
    });
    const types = ['text/plain', 'application/xml', 'application/x-www-form-urlencoded', `${MARK}/${MARK}`, ''];
    types.push('multipart/form-data; boundary=x', 'application/json; charset=latin1', 'application/json, text/plain');
    for (const type of types) {
      const sent = request(method, good);
      cases.push([`as ${type}`, good, { ...sent, payload: text, headers: { ...sent.headers, 'content-type': type } }]);
    }
    expect(await refusals(cases)).toEqual([]);
  });

  it.each(ROUTES.filter(({ route }) => route.includes('/:')))(
    'in the path of $route',
    async ({ route, method, good }) => {
      const [, template] = route.split(' ') as [string, string];
      const cases = Object.entries({ ...HOSTILE, 'no id': MARK, nothing: '' }).map(
        ([what, text]): [string, GoodRequest, InjectOptions] => {
          const url = template.replace(/:\w+/, encodeURIComponent(text.toWellFormed()));
          return [what, good, { ...request(method, good), url }];
        },
      );
      cases.push(['broken escapes', good, { ...request(method, good), url: template.replace(/:\w+/, '%ff%zz') }]);
      expect(await refusals(cases)).toEqual([]);
    },
  );

  it.each(ROUTES.filter(({ good }) => good.role !== undefined))(
    'behind the question mark of $route',
    async ({ method, good }) => {
      const plain = good.url(world).split('?')[0]!;
      const names = [
        'limit',
        'cursor',
        'by',
        'from',
        'to',
        'status',
        MARK,
        '__proto__',
        'constructor',
        'limit[]',
        'limit[a]',
      ];
      const queries = names.flatMap((name) =>
        Object.entries(HOSTILE).map(([what, text]) => [
          `${name}: ${what}`,
          `${encodeURIComponent(name)}=${encodeURIComponent(text.toWellFormed())}`,
        ]),
      );
      queries.push(
        ['repeated', `limit=1&limit=2&cursor=${MARK}`],
        ['huge', 'limit=99999999999999999999'],
        ['exponential', 'limit=1e308'],
        ['not a number', 'limit=NaN'],
        ['a broken escape', `cursor=%ff%zz${MARK}`],
      );
      const forged = Buffer.from(JSON.stringify([MARK, MARK])).toString('base64url');
      queries.push(['a cursor of somebody else', `cursor=${forged}`]);
      const cases = queries.map(([what, query]): [string, GoodRequest, InjectOptions] => [
        what!,
        good,
        { ...request(method, good), url: `${plain}?${query}` },
      ]);
      expect(await refusals(cases)).toEqual([]);
    },
  );

  it.each(ROUTES.filter(({ good }) => good.role !== undefined))(
    'in the headers of $route',
    async ({ route, method, good }) => {
      const asked = {
        authorization: true,
        'idempotency-key': COMMANDS.some((command) => command.route === route),
        'if-match': method === 'PATCH',
        'makuler-after': method === 'GET',
        'makuler-purpose': takesPurpose(route),
      };
      // What can't stand in a header at all never gets here: the last test sends it over a socket.
      const texts = {
        ...HOSTILE,
        empty: '',
        spaces: '   ',
        'two in one': `${MARK}, ${MARK}`,
        'a huge number': '9'.repeat(300),
      };
      const sendable = Object.entries(texts).filter(([, text]) => /^[\x20-\x7e]*$/.test(text) && text !== '__proto__');
      const cases = Object.entries(asked).flatMap(([name, bites]) =>
        sendable.map(([what, text]): [string, GoodRequest, InjectOptions, boolean] => {
          const sent = request(method, good);
          return [
            `${name}: ${what}`,
            good,
            { ...sent, headers: { ...sent.headers, [name]: text } },
            !bites || (name === 'idempotency-key' && IS_KEY.test(text)),
          ];
        }),
      );
      expect(await refusals(cases)).toEqual([]);
    },
  );

  it('as a body where none is taken', async () => {
    const without = ROUTES.filter(({ method, good }) => method === 'POST' && good.body === undefined);
    expect(without.length).toBeGreaterThan(5);
    const payloads = [{ [MARK]: MARK }, [MARK], [1]];
    const cases = without.flatMap(({ route, good }) =>
      payloads.map((payload): [string, GoodRequest, InjectOptions] => [
        route,
        good,
        { ...request('POST', good), payload },
      ]),
    );
    expect(await refusals(cases)).toEqual([]);
  });

  it('as a method or an origin that nobody expects', async () => {
    for (const { route, good } of ROUTES) {
      for (const method of ['PUT', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND'] as never[]) {
        const headers = { origin: `https://${MARK}.example`, 'access-control-request-method': 'GET' };
        const answer = await api.app.inject({ method, url: good.url(world), headers });
        expect([route, method, answer.statusCode, flawsOf(answer)]).toEqual([route, method, 404, []]);
      }
      const read = await api.app.inject({ url: good.url(world), headers: { origin: `https://${MARK}.example` } });
      expect([route, flawsOf(read)]).toEqual([route, []]);
    }
  });

  it('that is a value all the same is kept as it was sent, and does nothing else', async () => {
    for (const text of Object.values(INJECTIONS)) {
      const name = text.replaceAll(MARK, 'Kept');
      const headers = { 'idempotency-key': api.nextKey() };
      const made = await api.call('integrator', {
        method: 'POST',
        url: '/v1/customers',
        payload: { relationship: 'lead', name },
        headers,
      });
      expect(made.statusCode).toBe(201);
      await api.side.caughtUp();
      const card = await api.call('service-desk', { url: String(made.headers['location']) });
      expect(card.json()).toMatchObject({ name });
    }
  });
});
