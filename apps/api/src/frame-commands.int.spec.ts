import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { newId } from '#kernel';
import { ACTOR, FrameHouse } from '../../../test/api/frame-house.js';
import { MARK, PersonMet, specimen } from './frame-specimen.js';
import { BODY_LIMIT } from './http/body-limit.js';

describe('what comes in through the frame of the api', () => {
  let house: FrameHouse;
  beforeAll(async () => {
    house = await FrameHouse.start();
  });
  afterAll(() => house.end());
  beforeEach(() => house.reset());

  describe('commands', () => {
    it('are accepted with ids, position, entity tag and location', async () => {
      const answer = await house.meet(newId());
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
      const without = await house.call({ method: 'POST', url: '/v1/specimens', payload: {} });
      expect(without.json()).toMatchObject({ status: 400, code: 'idempotency-key-required' });
      expect((await house.meet('short')).json()).toMatchObject({ status: 400, errors: [{ path: 'Idempotency-Key' }] });
    });
    it('give the first answer to a repeat, and run once', async () => {
      const key = newId();
      const first = await house.meet(key);
      const before = specimen.runs;
      const second = await house.meet(key);
      expect(specimen.runs).toBe(before);
      expect([second.statusCode, second.body]).toEqual([first.statusCode, first.body]);
      expect(second.headers).toMatchObject({ 'idempotency-replayed': 'true', 'makuler-position': '7', etag: '"0"' });
      expect(first.headers['idempotency-replayed']).toBeUndefined();
    });
    it('refuse the key with another body, and take it from another caller', async () => {
      const key = newId();
      await house.meet(key);
      expect((await house.meet(key, { name: 'Other', kind: 'walk' })).json()).toMatchObject({
        status: 422,
        code: 'idempotency-key-reused',
      });
    });
    it('run again after a crash with the ids of the first time, and write once', async () => {
      const key = newId();
      specimen.interrupt = 'after';
      const crashed = await house.meet(key);
      expect(crashed.json()).toMatchObject({ status: 500, code: 'internal' });
      expect(crashed.body).not.toContain(MARK);
      // And not in the log either, which is looked through at the end.
      expect(house.logged.length).toBeGreaterThan(0);
      const written = (await house.eventsOf(PersonMet)).length;
      specimen.interrupt = undefined;
      const answer = await house.meet(key);
      expect(answer.statusCode).toBe(201);
      expect((await house.eventsOf(PersonMet)).length).toBe(written);
      expect((await house.eventsOf(PersonMet)).at(-1)!.stream).toBe(
        `customer-${answer.json<{ customerId: string }>().customerId}`,
      );
    });
    it('are judged anew after a refusal, and free the key when the input was refused', async () => {
      const key = newId();
      specimen.interrupt = 'before';
      expect((await house.meet(key)).json()).toMatchObject({ status: 409, code: 'subject-closed' });
      specimen.interrupt = undefined;
      expect((await house.meet(key)).statusCode).toBe(201);
      const other = newId();
      expect((await house.meet(other, { name: MARK })).statusCode).toBe(400);
      expect((await house.meet(other)).statusCode).toBe(201);
    });
    it('render a body that is more than ids anew', async () => {
      const key = newId();
      const url = '/v1/specimens/x/plan';
      const first = await house.call({ method: 'POST', url, headers: { 'idempotency-key': key } });
      specimen.runs += 1;
      const second = await house.call({ method: 'POST', url, headers: { 'idempotency-key': key } });
      expect([first.json<{ items: number }>().items + 1, second.json<{ id: string }>().id]).toEqual([
        specimen.runs,
        'x',
      ]);
      expect(second.json()).toEqual({ id: 'x', items: specimen.runs, by: ACTOR, at: '3' });
      house.ledger.stale = true;
      const stale = await house.call({ method: 'POST', url, headers: { 'idempotency-key': key } });
      expect(stale.json()).toMatchObject({ status: 503, code: 'vault-unavailable' });
    });
    it('that change something ask for If-Match', async () => {
      const change = (headers: Record<string, string>) =>
        house.call({ method: 'PATCH', url: '/v1/specimens/x', headers, payload: {} });
      expect((await change({})).json()).toMatchObject({ status: 428, code: 'precondition-required' });
      expect((await change({ 'if-match': '3' })).json()).toMatchObject({ status: 400, errors: [{ path: 'If-Match' }] });
      expect((await change({ 'if-match': '"3"' })).json()).toEqual({ id: 'x', revision: '3' });
    });
  });

  describe('input', () => {
    it('is refused with all problems at once, and never repeated', async () => {
      const body = { kind: MARK, day: '2026-02-30', [MARK]: 1, lines: [{ item: MARK }, { [MARK]: MARK }] };
      const answer = await house.meet(newId(), body);
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
      const answer = await house.call({ method: 'POST', url: '/v1/specimens', headers, payload });
      expect(answer.headers['content-type']).toBe('application/problem+json; charset=utf-8');
      expect(answer.json()).toMatchObject({ status, code, type: `/errors/${code}` });
      expect(answer.body).not.toContain('Kari');
    });
    it('may be larger where the route says so', async () => {
      const send = (bytes: number) =>
        house.call({
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
        const answer = await house.call({ url });
        expect(answer.headers['content-type']).toBe('application/problem+json; charset=utf-8');
        expect(answer.body).not.toMatch(/Kari|501/);
      }
    });
  });

  it('answers what is not HTTP with a problem too', async () => {
    await house.app.listen(0, '127.0.0.1');
    const { port } = house.app.getHttpServer().address() as AddressInfo;
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
});
