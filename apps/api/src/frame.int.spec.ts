import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { Controller, Get, Module } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { InjectOptions } from 'fastify';
import { PersonalDataRead, AccessRefused } from '#access';
import type { ProjectionStates } from '#projections';
import type { TokenRole } from '#tokens';
import { createLogger, Metrics } from '#observability';
import type { ActorId, Opened } from '#kernel';
import { ERASED, MakulerError, SystemClock, newId, valueOf, withheld } from '#kernel';
import type { Policy } from '#policy';
import { createPool } from '#postgres';
import { LedgerDouble, testDatabase } from '#testing';
import { createApi } from './create-api.js';
import { BODY_LIMIT } from './http/body-limit.js';
import { eventRegistry } from '#composition';
import type { ApiParts } from './app.module.js';
import { MARK, PersonMet, SpecimenModule, specimen } from './frame-specimen.js';

const tokens = {
  verify(token: string) {
    const roles = { shop: ['integrator'], jurist: ['compliance'], numbers: ['analyst'] }[token] as
      TokenRole[] | undefined;
    const defaultPurpose = token === 'shop' ? 'avtale' : undefined;
    return Promise.resolve(roles && { tokenId: ACTOR, actorId: ACTOR, roles, defaultPurpose });
  },
};
const logged: string[] = [];
const ACTOR = newId<ActorId>();

class WatchedLedger extends LedgerDouble {
  stale = false;
  override assertCurrent(): void {
    if (this.stale) throw new MakulerError('vault-unavailable');
  }
}
const projections = {
  waitFor: (_: unknown, position: bigint) =>
    position > 9n ? Promise.reject(new MakulerError('projection-behind', { retryAfterSeconds: 1 })) : Promise.resolve(),
} as unknown as ProjectionStates;
const policy = {
  version: 'spec',
  purpose: (id: string) => (id === 'avtale' || id === 'tilbud' ? { id } : undefined),
  mayRead: (purpose: string) => purpose === 'avtale',
  mayWrite: (purpose: string) => purpose === 'avtale',
} as unknown as Policy;

describe('the frame of the api', () => {
  let gate = { serving: true, state: 'consistent', why: '', wayOut: '' };
  const ledger = new WatchedLedger();
  let app: NestFastifyApplication;
  let database: Awaited<ReturnType<typeof testDatabase>>;
  let parts: ApiParts;

  beforeAll(async () => {
    database = await testDatabase();
    const pool = createPool(database.url, { name: 'spec' });
    parts = {
      clock: new SystemClock(),
      policy,
      registry: eventRegistry(),
      vault: { assertCurrent: () => undefined } as never,
      shredder: {} as never,
      operations: {} as never,
      witness: {} as never,
      archive: {} as never,
      store: {} as never,
      recovery: { gate: async () => gate } as never,
      ledger,
      readModels: pool,
      control: pool,
      close: () => pool.end(),
      tokens,
      projections,
      metrics: new Metrics('spec'),
      logger: createLogger({ name: 'spec', destination: { write: (line) => void logged.push(line) } }),
    };
    app = await createApi(parts, [SpecimenModule]);
  });
  afterAll(async () => {
    expect(logged.length).toBeGreaterThan(0);
    expect(logged.join('')).not.toMatch(/Kari|Marknes/);
    await app.close();
    await parts.close();
    await database.drop();
  });
  beforeEach(() => {
    specimen.interrupt = undefined;
    specimen.gone = undefined;
    ledger.stale = false;
  });

  const call = (options: InjectOptions & { token?: string }) =>
    app.inject({ ...options, headers: { authorization: `Bearer ${options.token ?? 'shop'}`, ...options.headers } });
  const meet = (key: string, body: unknown = { name: MARK, kind: 'walk' }) =>
    call({ method: 'POST', url: '/v1/specimens', headers: { 'idempotency-key': key }, payload: body as object });
  const eventsOf = async (type: { type: string }) => {
    const found = [];
    const controller = new AbortController();
    for await (const batch of ledger.subscribe({ signal: controller.signal })) {
      found.push(...batch.events.filter((e) => e.type === type.type));
      if (batch.live) controller.abort();
    }
    return found;
  };

  describe('who and why', () => {
    it('answers 401 without a token and with an unknown one', async () => {
      for (const headers of [{ authorization: '' }, { authorization: 'Bearer nobody' }, { authorization: 'Basic x' }]) {
        const answer = await call({ url: '/v1/specimens', headers });
        expect([answer.statusCode, answer.json<{ code: string }>().code]).toEqual([401, 'unauthenticated']);
        expect(answer.headers['www-authenticate']).toBe('Bearer');
      }
    });
    it('answers 403 to the wrong role', async () => {
      expect((await call({ url: '/v1/specimens', token: 'numbers' })).json()).toMatchObject({
        status: 403,
        code: 'forbidden',
      });
    });
    it('asks for a purpose where personal data is read', async () => {
      expect((await call({ url: '/v1/specimens', token: 'jurist' })).json()).toMatchObject({
        status: 400,
        code: 'purpose-required',
      });
    });
    it('refuses a purpose that the policy does not allow, and writes the attempt down without what was typed', async () => {
      const before = (await eventsOf(AccessRefused)).length;
      for (const purpose of ['tilbud', MARK]) {
        const answer = await call({ url: '/v1/specimens', headers: { 'makuler-purpose': purpose } });
        expect(answer.json()).toMatchObject({ status: 403, code: 'purpose-not-allowed' });
        expect(answer.body).not.toContain(MARK);
      }
      const refused = (await eventsOf(AccessRefused)).slice(before);
      expect(refused.map(({ data }) => data)).toEqual([
        { route: '/v1/specimens', statedPurpose: 'tilbud', categories: ['contact'], mode: 'read' },
        { route: '/v1/specimens', statedPurpose: null, categories: ['contact'], mode: 'read' },
      ]);
      expect(refused.map(({ metadata }) => metadata.actor)).toEqual([ACTOR, ACTOR]);
    });
    it('does not start with a route that says nothing about who may call it', async () => {
      @Controller('v1/open')
      class OpenController {
        @Get()
        all() {
          return {};
        }
      }
      @Module({ controllers: [OpenController] })
      class OpenModule {}
      await expect(createApi(parts, [OpenModule])).rejects.toThrow('OpenController.all: say who may call it');
    });
  });

  describe('commands', () => {
    it('are accepted with ids, position, entity tag and location', async () => {
      const answer = await meet(newId());
      const { customerId } = answer.json<{ customerId: string }>();
      expect(answer.statusCode).toBe(201);
      expect(answer.headers).toMatchObject({
        'makuler-position': '7',
        etag: '"0"',
        location: `/v1/specimens/${customerId}`,
        'cache-control': 'no-store',
      });
    });
    it('need a key, of a form that is told', async () => {
      const without = await call({ method: 'POST', url: '/v1/specimens', payload: {} });
      expect(without.json()).toMatchObject({ status: 400, code: 'idempotency-key-required' });
      expect((await meet('short')).json()).toMatchObject({ status: 400, errors: [{ path: 'Idempotency-Key' }] });
    });
    it('give the first answer to a repeat, and run once', async () => {
      const key = newId();
      const first = await meet(key);
      const before = specimen.runs;
      const second = await meet(key);
      expect(specimen.runs).toBe(before);
      expect([second.statusCode, second.body]).toEqual([first.statusCode, first.body]);
      expect(second.headers).toMatchObject({ 'idempotency-replayed': 'true', 'makuler-position': '7', etag: '"0"' });
      expect(first.headers['idempotency-replayed']).toBeUndefined();
    });
    it('refuse the key with another body, and take it from another caller', async () => {
      const key = newId();
      await meet(key);
      expect((await meet(key, { name: 'Other', kind: 'walk' })).json()).toMatchObject({
        status: 422,
        code: 'idempotency-key-reused',
      });
    });
    it('run again after a crash with the ids of the first time, and write once', async () => {
      const key = newId();
      specimen.interrupt = 'after';
      const crashed = await meet(key);
      expect(crashed.json()).toMatchObject({ status: 500, code: 'internal' });
      expect(crashed.body).not.toContain(MARK);
      const written = (await eventsOf(PersonMet)).length;
      specimen.interrupt = undefined;
      const answer = await meet(key);
      expect(answer.statusCode).toBe(201);
      expect((await eventsOf(PersonMet)).length).toBe(written);
      expect((await eventsOf(PersonMet)).at(-1)!.stream).toBe(
        `customer-${answer.json<{ customerId: string }>().customerId}`,
      );
    });
    it('are judged anew after a refusal, and free the key when the input was refused', async () => {
      const key = newId();
      specimen.interrupt = 'before';
      expect((await meet(key)).json()).toMatchObject({ status: 409, code: 'subject-closed' });
      specimen.interrupt = undefined;
      expect((await meet(key)).statusCode).toBe(201);
      const other = newId();
      expect((await meet(other, { name: MARK })).statusCode).toBe(400);
      expect((await meet(other)).statusCode).toBe(201);
    });
    it('render a body that is more than ids anew', async () => {
      const key = newId();
      const url = '/v1/specimens/x/plan';
      const first = await call({ method: 'POST', url, headers: { 'idempotency-key': key } });
      specimen.runs += 1;
      const second = await call({ method: 'POST', url, headers: { 'idempotency-key': key } });
      expect([first.json<{ items: number }>().items + 1, second.json<{ id: string }>().id]).toEqual([
        specimen.runs,
        'x',
      ]);
      expect(second.json()).toEqual({ id: 'x', items: specimen.runs, by: ACTOR, at: '3' });
      ledger.stale = true;
      const stale = await call({ method: 'POST', url, headers: { 'idempotency-key': key } });
      expect(stale.json()).toMatchObject({ status: 503, code: 'vault-unavailable' });
    });
    it('that change something ask for If-Match', async () => {
      const change = (headers: Record<string, string>) =>
        call({ method: 'PATCH', url: '/v1/specimens/x', headers, payload: {} });
      expect((await change({})).json()).toMatchObject({ status: 428, code: 'precondition-required' });
      expect((await change({ 'if-match': '3' })).json()).toMatchObject({ status: 400, errors: [{ path: 'If-Match' }] });
      expect((await change({ 'if-match': '"3"' })).json()).toEqual({ id: 'x', revision: '3' });
    });
  });

  describe('input', () => {
    it('is refused with all problems at once, and never repeated', async () => {
      const body = { kind: MARK, day: '2026-02-30', [MARK]: 1, lines: [{ item: MARK }, { [MARK]: MARK }] };
      const answer = await meet(newId(), body);
      const { status, code, errors } = answer.json<{ status: number; code: string; errors: { path: string }[] }>();
      expect([status, code]).toEqual([400, 'invalid-input']);
      expect([...new Set(errors.map(({ path }) => path))].sort()).toEqual(
        ['*', 'name', 'kind', 'day', 'lines[0].item', 'lines[1].*', 'lines[1].item'].sort(),
      );
      expect(answer.body).not.toMatch(/Kari|Marknes/);
    });
    it.each([
      ['not JSON', { payload: `{"name": "${MARK}`, type: 'application/json' }, 400, 'invalid-input'],
      ['another media type', { payload: MARK, type: 'text/plain' }, 415, 'unsupported-media-type'],
      [
        'too large',
        { payload: JSON.stringify({ name: MARK.repeat(120_000) }), type: 'application/json' },
        413,
        'payload-too-large',
      ],
      ['prototype poison', { payload: '{"__proto__": {"a": 1}}', type: 'application/json' }, 400, 'invalid-input'],
    ])('%s is a problem document', async (_, { payload, type }, status, code) => {
      const headers = { 'content-type': type, 'idempotency-key': newId() };
      const answer = await call({ method: 'POST', url: '/v1/specimens', headers, payload });
      expect(answer.headers['content-type']).toBe('application/problem+json; charset=utf-8');
      expect(answer.json()).toMatchObject({ status, code, type: `/errors/${code}` });
      expect(answer.body).not.toContain('Kari');
    });
    it('may be larger where the route says so', async () => {
      const send = (bytes: number) =>
        call({
          method: 'POST',
          url: '/v1/specimens/many',
          headers: { 'idempotency-key': newId() },
          payload: { a: 'x'.repeat(bytes) },
        });
      expect((await send(3 * BODY_LIMIT)).statusCode).toBe(200);
      expect((await send(4 * BODY_LIMIT)).statusCode).toBe(413);
    });
    it('at an unknown address is not repeated either', async () => {
      for (const url of [`/v1/${encodeURIComponent(MARK)}`, '/v1/%ff%', '/v1/specimens?limit=501&Kari=1']) {
        const answer = await call({ url });
        expect(answer.headers['content-type']).toBe('application/problem+json; charset=utf-8');
        expect(answer.body).not.toMatch(/Kari|501/);
      }
    });
  });

  it('answers what is not HTTP with a problem too', async () => {
    await app.listen(0, '127.0.0.1');
    const { port } = app.getHttpServer().address() as AddressInfo;
    const answers = await Promise.all(
      [`${MARK}\r\n\r\n`, `GET / HTTP/1.1\r\nHost: x\r\nX: ${MARK.repeat(3_000)}\r\n\r\n`].map(async (sent) => {
        const socket = connect(port, '127.0.0.1').setEncoding('utf8');
        socket.write(sent);
        return (await socket.toArray()).join('');
      }),
    );
    expect(answers.map((answer) => /^HTTP\/1.1 (\d+)/.exec(answer)?.[1])).toEqual(['400', '413']);
    for (const answer of answers) {
      expect(answer).toContain('application/problem+json');
      expect(answer).not.toContain('Kari');
    }
  });

  describe('reads', () => {
    const meetOne = async () => (await meet(newId())).json<{ customerId: string }>().customerId;

    it('reveal what is there, name what is gone, and leave a trace for each', async () => {
      const id = await meetOne();
      const before = (await eventsOf(PersonalDataRead)).length;
      expect((await call({ url: `/v1/specimens/${id}` })).json()).toMatchObject({ id, name: MARK });
      specimen.gone = ERASED;
      expect((await call({ url: `/v1/specimens/${id}` })).json()).toMatchObject({ name: { $state: 'erased' } });
      specimen.gone = withheld('retained');
      const answer = await call({ url: `/v1/specimens/${id}` });
      expect(answer.json()).toMatchObject({ name: { $state: 'withheld', reason: 'retained' } });
      expect(answer.headers).toMatchObject({ etag: '"0"', 'cache-control': 'no-store' });
      const traces = (await eventsOf(PersonalDataRead)).slice(before);
      expect(
        traces.map(({ stream, data }) => [
          stream.slice(0, 6),
          valueOf((data as unknown as { person: Opened<string> }).person),
        ]),
      ).toEqual([
        ['trace-', id],
        ['trace-', id],
        ['trace-', id],
      ]);
      expect(JSON.stringify(traces.map(({ metadata, stream }) => [metadata, stream]))).not.toContain(id);
    });
    it('of nobody leave a trace too', async () => {
      const before = (await eventsOf(PersonalDataRead)).length;
      const found = await call({ method: 'POST', url: '/v1/specimens/search', payload: {} });
      expect(found.statusCode).toBe(200);
      expect(found.json()).toEqual({
        items: [],
        nextCursor: null,
      });
      expect((await eventsOf(PersonalDataRead)).length).toBe(before + 1);
    });
    it('give 503 in place of the finished answer when the vault no longer vouches for it', async () => {
      const id = await meetOne();
      ledger.stale = true;
      const answer = await call({ url: `/v1/specimens/${id}` });
      expect(answer.json()).toMatchObject({ status: 503, code: 'vault-unavailable' });
      expect(answer.headers['etag']).toBeUndefined();
      expect(answer.headers['retry-after']).toBeDefined();
      expect(answer.headers['content-length']).toBe(String(Buffer.byteLength(answer.body)));
      expect(answer.body).not.toContain('Kari');
    });
    it('are not traced and not answered when the trace cannot be written', async () => {
      const id = await meetOne();
      ledger.fault = 'vault-unavailable';
      const answer = await call({ url: `/v1/specimens/${id}` });
      ledger.fault = undefined;
      expect(answer.json()).toMatchObject({ status: 503, code: 'vault-unavailable' });
    });
    it('cannot reveal on a route that declares no personal data', async () => {
      const answer = await call({ url: '/v1/specimens/careless' });
      expect(answer.statusCode).toBe(500);
      expect(answer.body).not.toContain('Kari');
    });
    it('give a page as CSV, with nothing that a spreadsheet would run', async () => {
      const answer = await call({ url: '/v1/specimens?limit=3', headers: { accept: 'text/csv' } });
      expect(answer.headers).toMatchObject({
        'content-type': 'text/csv; charset=utf-8',
        'makuler-next-cursor': 'next',
      });
      expect(answer.body).toBe(`name,phone,limit,at\r\n'=${MARK},+4790012345,3,#erased\r\n`);
    });
    it('wait for the position asked for', async () => {
      const at = (position: string) => call({ url: '/v1/specimens', headers: { 'makuler-after': position } });
      expect((await at('9')).statusCode).toBe(200);
      const behind = await at('10');
      expect([behind.json<{ code: string }>().code, behind.headers['retry-after']]).toEqual(['projection-behind', '1']);
      expect((await at(MARK)).json()).toMatchObject({ status: 400, errors: [{ path: 'Makuler-After' }] });
    });
  });

  describe('itself', () => {
    it('says that it lives and is ready, or what is not', async () => {
      expect((await app.inject('/health/live')).json()).toEqual({ status: 'live' });
      expect((await app.inject('/health/ready')).json()).toMatchObject({
        ready: true,
        checks: { vault: { ready: true } },
      });
    });
    it('says of a closed gate which and what to do', async () => {
      const open = gate;
      gate = { serving: false, state: 'stale', why: 'It is an older copy.', wayOut: 'Restore a newer one.' };
      const answer = await app.inject('/health/ready');
      gate = open;
      expect(answer.statusCode).toBe(503);
      expect(answer.json()).toMatchObject({
        ready: false,
        checks: { vault: { ready: false, because: 'stale: It is an older copy. Restore a newer one.' } },
      });
    });
    it('explains its errors and documents its routes, from its own host only', async () => {
      expect((await app.inject('/errors/subject-closed')).json()).toMatchObject({
        code: 'subject-closed',
        status: 409,
      });
      expect((await app.inject('/errors/toString')).json()).toMatchObject({ code: 'not-found' });
      expect(Object.keys((await app.inject('/openapi.json')).json<{ paths: object }>().paths)).toContain(
        '/v1/specimens/{id}',
      );
      const docs = await app.inject('/docs');
      expect(docs.body).not.toMatch(/https?:/);
      expect(docs.headers['content-security-policy']).toContain("default-src 'self'");
      for (const [, path] of docs.body.matchAll(/(?:href|src)="([^"]+)"/g))
        expect((await app.inject(path!)).statusCode).toBe(200);
    });
  });
});
