import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { connect } from 'node:net';
import { setInterval as every } from 'node:timers/promises';
import { fill } from './good-requests.js';
import { MARK } from './spoiling.js';
import { WholeApi } from './whole-api.js';

const TIMEOUTS = { headersMs: 400, requestMs: 2_400, answerMs: 800, silenceMs: 60_000, keepAliveMs: 60_000 };
/** Many times what a client gets; a server that waits for ever fails the test instead of hanging it. */
const PATIENCE_MS = 20_000;

describe('bad connections', () => {
  let api: WholeApi;
  let port: number;
  let head: bigint;
  beforeAll(async () => {
    api = await WholeApi.start({ timeouts: TIMEOUTS });
    await fill(api);
    await api.app.listen(0, '127.0.0.1');
    ({ port } = api.app.getHttpServer().address() as AddressInfo);
    head = await api.side.ledger.head();
  });
  afterAll(async () => {
    expect(await api.side.ledger.head()).toBe(head);
    expect(api.logged.join('')).not.toContain(MARK);
    await api.stop();
  });

  /** What comes back until the server hangs up. */
  const send = async (...parts: readonly (string | Buffer)[]): Promise<string> => {
    const socket = connect(port, '127.0.0.1').setEncoding('utf8');
    socket.on('error', () => undefined);
    for (const part of parts) socket.write(part);
    const timer = setTimeout(() => socket.destroy(new Error('the server waits for ever')), PATIENCE_MS);
    const answer = (await socket.toArray()).join('');
    clearTimeout(timer);
    return answer;
  };
  const request = (first: string, ...headers: readonly string[]) =>
    [first, 'Host: x', 'Connection: close', `Authorization: Bearer ${api.tokens.integrator}`, ...headers, '', ''].join(
      '\r\n',
    );
  const status = (answer: string) => Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1]);
  const isServed = async () => expect(status(await send(request('GET /v1/policy HTTP/1.1')))).toBe(200);

  /** Sends a beginning, then a byte now and then, also when the server has said all it will: until the connection is gone. */
  const drip = async (beginning: string): Promise<string> => {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true }).setEncoding('utf8');
    let answer = '';
    socket.on('data', (chunk: string) => (answer += chunk)).on('error', () => undefined);
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.write(beginning);
    const stop = new AbortController();
    const dripping = (async () => {
      for await (const _ of every(50, undefined, { signal: stop.signal })) if (socket.writable) socket.write('a');
    })().catch(() => undefined);
    let patient = true;
    const timer = setTimeout(() => {
      patient = false;
      socket.destroy();
    }, PATIENCE_MS);
    await closed;
    clearTimeout(timer);
    stop.abort();
    await dripping;
    if (!patient) throw new Error('the server waits for ever');
    return answer;
  };

  it.each([
    ['its headers', () => `GET /v1/policy HTTP/1.1\r\nHost: x\r\nX-${MARK}: `],
    [
      'its body',
      () =>
        request(
          'POST /v1/customers HTTP/1.1',
          'Content-Type: application/json',
          'Content-Length: 5000',
          'Idempotency-Key: a-slow-one',
        ).concat(`{"${MARK}`),
    ],
    ['its first line', () => 'GET /'],
  ])('of a client that drips %s are answered 408 and closed', async (_, beginning) => {
    const answer = await drip(beginning());
    expect(status(answer)).toBe(408);
    expect(answer).toContain('"code":"request-timeout"');
    expect(answer).not.toContain(MARK);
    await isServed();
  });

  it('of a client that drips its headers are closed sooner than one whose body drips', async () => {
    const closed: string[] = [];
    const body = request('POST /v1/customers HTTP/1.1', 'Content-Type: application/json', 'Content-Length: 5000');
    await Promise.all([
      drip(`${body}{"`).then(() => closed.push('body')),
      drip(`GET /v1/policy HTTP/1.1\r\nHost: x\r\nX-${MARK}: `).then(() => closed.push('headers')),
    ]);
    expect(closed).toEqual(['headers', 'body']);
  });

  it.each([
    ['nothing of them', 0],
    ['a little of them now and then', 1_000],
  ])('of a client that asks for much and takes %s are closed', async (_, bytes) => {
    const server: Server = api.app.getHttpServer();
    const accepted = once(server, 'connection') as Promise<[Socket]>;
    const socket = connect(port, '127.0.0.1').on('error', () => undefined);
    const [served] = await accepted;
    // More than the system keeps on the way to a reader, so that the rest stays with the server.
    const asked = 'GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: x\r\n\r\n';
    socket.pause().write(asked.repeat(20));
    const stop = new AbortController();
    const taking = (async () => {
      for await (const __ of every(50, undefined, { signal: stop.signal })) if (bytes > 0) socket.read(bytes);
    })().catch(() => undefined);
    await once(served, 'close', { signal: AbortSignal.timeout(PATIENCE_MS) });
    stop.abort();
    await taking;
    socket.destroy();
    await isServed();
  });

  it('of which many say nothing at all keep nobody out', async () => {
    const silent = Array.from({ length: 200 }, () => connect(port, '127.0.0.1').on('error', () => undefined));
    await isServed();
    await Promise.all(silent.map((socket) => socket.resume().toArray()));
    await isServed();
  });

  it.each(['Authorization: Bearer x', 'Makuler-Purpose: avtale', 'Makuler-After: 1', 'Accept: text/csv', 'Host: y'])(
    'that say a header twice are refused: %s',
    async (header) => {
      const answer = await send(request('GET /v1/policy HTTP/1.1', header, header));
      expect(status(answer)).toBe(400);
      expect(answer).toContain('"code":"repeated"');
    },
  );

  it.each([
    ['a NUL byte in a header', `X: ${MARK}\u0000`],
    ['a bare line feed in a header', `X: ${MARK}\nSet-Cookie: a=b`],
    ['a space before the colon', `X : ${MARK}`],
    ['a folded header', `X: a\r\n ${MARK}`],
    ['two lengths', 'Content-Length: 5\r\nContent-Length: 6'],
    ['a length and chunks', 'Content-Length: 5\r\nTransfer-Encoding: chunked'],
    ['a negative length', 'Content-Length: -1'],
    ['chunks twice over', 'Transfer-Encoding: chunked, chunked'],
    ['too many headers', Array.from({ length: 3_000 }, (_, n) => `X${n}: ${MARK}`).join('\r\n')],
  ])('with %s are refused and closed', async (_, header) => {
    const answer = await send(request('POST /v1/customers HTTP/1.1', header), 'hello');
    expect([400, 413]).toContain(status(answer));
    expect(answer).toContain('problem+json');
    expect(answer).not.toContain(MARK);
    expect(answer.toLowerCase()).not.toContain('set-cookie');
    await isServed();
  });

  it('with more than 16 KiB of address and headers are refused as too large, and with less are served', async () => {
    const answers = async (kilobytes: number) => {
      const filler = 'a'.repeat(kilobytes * 1_024);
      return [
        status(await send(request('GET /v1/policy HTTP/1.1', `X: ${filler}`))),
        status(await send(request(`GET /v1/policy?x=${filler} HTTP/1.1`))),
      ];
    };
    // What came through is looked at: this route takes no query.
    expect(await answers(12)).toEqual([200, 400]);
    expect(await answers(17)).toEqual([413, 413]);
  });

  it('with a part of the address of more than 200 characters are refused before it is looked for', async () => {
    const answer = async (length: number) => status(await send(request(`GET /errors/${'a'.repeat(length)} HTTP/1.1`)));
    expect([await answer(200), await answer(201)]).toEqual([404, 400]);
  });

  it('that bring something else than HTTP are refused and closed', async () => {
    const others = [
      Buffer.from([22, 3, 1, 0, 200, 1, 0, 0, 196]),
      'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
      `${MARK}\r\n\r\n`,
      Buffer.alloc(70_000, 65),
    ];
    for (const bytes of others) {
      const answer = await send(bytes);
      expect([400, 413]).toContain(status(answer));
      expect(answer).not.toContain(MARK);
      for (const header of ['cache-control: no-store', 'x-content-type-options: nosniff', 'makuler-request-id: '])
        expect(answer).toContain(`\r\n${header}`);
    }
    await isServed();
  });
});
