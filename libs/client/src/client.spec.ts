import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ClientOptions } from './client.js';
import { MakulerClient } from './client.js';
import { ONCE } from './patience.js';
import { ApiProblem, NoAnswer } from './problem.js';

/** What one attempt meets: an answer; `cut`, a connection that ends within the answer; `silence`, none at all. */
type Scripted = { status: number; body?: unknown; headers?: Record<string, string> } | 'cut' | 'silence';

interface Seen {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

const problem = (status: number, code: string, headers: Record<string, string> = {}): Scripted => ({
  ...{ status, headers: { 'content-type': 'application/problem+json', ...headers } },
  body: { code, detail: `It is ${code}.`, requestId: 'r-1' },
});

describe('the client, over a real server', () => {
  let script: Scripted[];
  let seen: Seen[];
  const server = createServer((request, response) => void answer(request, response));
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    seen.push({ method: request.method, url: request.url, headers: request.headers, body });
    const next = script[Math.min(seen.length, script.length) - 1]!;
    if (next === 'silence') return;
    if (next === 'cut') {
      response.writeHead(201, { 'content-type': 'application/json', 'content-length': '1000' });
      response.write('{"customerId":');
      setImmediate(() => response.destroy());
      return;
    }
    const text = typeof next.body === 'string' ? next.body : JSON.stringify(next.body ?? {});
    response.writeHead(next.status, { 'content-type': 'application/json', ...next.headers }).end(text);
  };
  beforeAll(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)));
  afterAll(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });

  const address = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = (answers: readonly Scripted[], options: Partial<ClientOptions> = {}) => {
    [script, seen] = [[...answers], []];
    const patience = { giveUpAfterMs: 20_000, pausesMs: [1] };
    return new MakulerClient({ address: address(), token: 'secret', patience, ...options });
  };
  const lead = { relationship: 'lead', email: 'kari@vik.no' } as const;
  const keys = () => new Set(seen.map(({ headers }) => headers['idempotency-key']));

  it('sends a command again under the same key until it is answered, and the next one under another', async () => {
    const waited: string[] = [];
    const answers = [
      problem(429, 'rate-limited', { 'retry-after': '0' }),
      problem(503, 'vault-unavailable'),
      'cut' as const,
      problem(409, 'idempotency-in-progress'),
      { status: 502, body: '<html>', headers: { 'content-type': 'text/html' } },
      {
        status: 201,
        body: { customerId: 'c-1' },
        headers: { 'idempotency-replayed': 'true', 'makuler-position': '7' },
      },
    ];
    const makuler = client(answers, { onWait: ({ name }) => waited.push(name) });
    const { body, position, replayed } = await makuler.post('/v1/customers', { body: lead, purpose: 'avtale' });
    expect([body.customerId, position, replayed]).toEqual(['c-1', '7', true]);
    expect(waited).toEqual(['ApiProblem', 'ApiProblem', 'NoAnswer', 'ApiProblem', 'ApiProblem']);
    expect(seen).toHaveLength(6);
    expect(keys().size).toBe(1);
    expect(seen.every(({ body: sent }) => sent === JSON.stringify(lead))).toBe(true);
    await makuler.post('/v1/customers', { body: lead });
    expect(keys().size).toBe(2);
  });

  it('takes a key that is given, sends one with a change as well, and none with a read', async () => {
    const makuler = client([{ status: 200 }]);
    await makuler.post('/v1/customers', { body: lead, idempotencyKey: 'order-4711-customer' });
    await makuler.patch('/v1/customers/{id}', { path: { id: 'a' }, ifMatch: '"3"', body: { name: null } });
    await makuler.get('/v1/customers/{id}', { path: { id: 'a' }, after: '7' });
    const [made, changed, read] = seen.map(({ headers }) => headers);
    expect(made!['idempotency-key']).toBe('order-4711-customer');
    expect(changed!['idempotency-key']).toMatch(/^[0-9a-f-]{36}$/);
    expect(changed!['if-match']).toBe('"3"');
    expect(read!['idempotency-key']).toBeUndefined();
    expect(read!['makuler-after']).toBe('7');
  });

  it('states token, and the purpose of the call before its own; ids are safe in an address', async () => {
    const makuler = client([{ status: 200, body: { items: [], nextCursor: null } }], { purpose: 'kundehjelp' });
    await makuler.get('/v1/customers/{id}/purchases', { path: { id: '../a?b' }, query: { limit: 5 } });
    await makuler.get('/v1/service-cases', { query: { status: 'opened' }, purpose: 'rettigheter' });
    expect(seen.map(({ url }) => url)).toEqual([
      '/v1/customers/..%2Fa%3Fb/purchases?limit=5',
      '/v1/service-cases?status=opened',
    ]);
    expect(seen.map(({ headers }) => headers['makuler-purpose'])).toEqual(['kundehjelp', 'rettigheter']);
    expect(seen.map(({ headers }) => headers.authorization)).toEqual(['Bearer secret', 'Bearer secret']);
  });

  it('throws at once, with all facts, what waiting does not mend', async () => {
    const errors = [{ path: 'email', code: 'email', message: 'give an e-mail address' }];
    const refused = { status: 400, body: { code: 'invalid-input', detail: 'No.', requestId: 'r-1', errors, more: 1 } };
    const failed = client([refused]).post('/v1/customers', { body: lead });
    await expect(failed).rejects.toMatchObject({
      ...{ status: 400, code: 'invalid-input', detail: 'No.', requestId: 'r-1', errors },
      document: expect.objectContaining({ more: 1 }),
    });
    expect(seen).toHaveLength(1);
    const strange = await client([{ status: 404, body: 'nothing here', headers: { 'content-type': 'text/html' } }])
      .get('/v1/policy')
      .catch((error: unknown) => error);
    expect(strange).toBeInstanceOf(ApiProblem);
    expect(strange).toMatchObject({ code: 'unrecognized', status: 404, retryAfterSeconds: undefined });
  });

  it('gives up with the last refusal when its patience is at its end, or the API asks for more of it', async () => {
    const busy = problem(503, 'lookup-warming', { 'retry-after': '3600' });
    await expect(client([busy]).get('/v1/policy')).rejects.toMatchObject({ retryAfterSeconds: 3600 });
    expect(seen).toHaveLength(1);
    await expect(client([problem(503, 'internal')], { patience: ONCE }).get('/v1/policy')).rejects.toThrow(ApiProblem);
    expect(seen).toHaveLength(1);
    const short = { giveUpAfterMs: 1_000, pausesMs: [100] };
    await expect(client([problem(503, 'internal')], { patience: short }).get('/v1/policy')).rejects.toThrow('internal');
    expect(seen.length).toBeGreaterThan(1);
  });

  it('counts silence, and nobody at the address, as no answer', async () => {
    const silent = client(['silence', { status: 200, body: { version: '1.0.0' } }], { timeoutMs: 200 });
    expect((await silent.get('/v1/policy')).body.version).toBe('1.0.0');
    expect(seen).toHaveLength(2);
    const nobody = new MakulerClient({ address: 'http://127.0.0.1:1', patience: ONCE });
    const failed = await nobody.get('/v1/policy').catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(NoAnswer);
    expect(String(failed)).toContain('Nobody answers at http://127.0.0.1:1');
  });

  it('ends when the caller says so, also while it waits', async () => {
    const ending = new AbortController();
    const patience = { giveUpAfterMs: 3_600_000, pausesMs: [3_600_000] };
    const options = { patience, onWait: () => ending.abort(new Error('enough')) };
    const waiting = client([problem(503, 'internal')], options).get('/v1/policy', { signal: ending.signal });
    await expect(waiting).rejects.toThrow('enough');
    const gone = client([{ status: 200 }]).get('/v1/policy', { signal: AbortSignal.abort(new Error('before')) });
    await expect(gone).rejects.toThrow('before');
    expect(seen).toHaveLength(0);
  });

  it('never follows to another place, where the token would go along', async () => {
    const elsewhere = { status: 307, headers: { location: `${address()}/elsewhere` } };
    await expect(client([elsewhere], { patience: ONCE }).get('/v1/policy')).rejects.toThrow(NoAnswer);
    expect(seen).toHaveLength(1);
  });

  it('goes through a list page by page, as rows and as CSV', async () => {
    const page = (id: string, nextCursor: string | null) => ({
      ...{ status: 200, body: { items: [{ erasureId: id }], nextCursor } },
    });
    const rows = [];
    const pages = client([page('e-1', 'n/2'), page('e-2', null)]);
    for await (const { erasureId } of pages.items('/v1/erasures', { query: { limit: 1 } })) rows.push(erasureId);
    expect(rows).toEqual(['e-1', 'e-2']);
    expect(seen.map(({ url }) => url)).toEqual(['/v1/erasures?limit=1', '/v1/erasures?limit=1&cursor=n%2F2']);

    const csv = (text: string, headers: Record<string, string> = {}) => ({
      ...{ status: 200, body: text, headers: { 'content-type': 'text/csv; charset=utf-8', ...headers } },
    });
    const texts = [];
    const asCsv = client([csv('a\r\n1\r\n', { 'makuler-next-cursor': 'n2' }), csv('a\r\n2\r\n')]);
    for await (const text of asCsv.csv('/v1/erasures')) texts.push(text);
    expect(texts).toEqual(['a\r\n1\r\n', 'a\r\n2\r\n']);
    expect(seen.map(({ headers }) => headers.accept)).toEqual(['text/csv', 'text/csv']);
    expect(seen[1]!.url).toBe('/v1/erasures?cursor=n2');
  });

  it('takes an address with a path before it, and refuses what is none', async () => {
    const makuler = client([{ status: 200 }], { address: `${address()}/makuler/` });
    await makuler.get('/v1/clock');
    expect(seen[0]!.url).toBe('/makuler/v1/clock');
    expect(() => new MakulerClient({ address: 'nowhere' })).toThrow('Invalid URL');
  });
});
