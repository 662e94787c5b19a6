import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ApiClient } from '../client/api-client.js';
import { sendRows } from './send-rows.js';

const body = { source: 'shop', dryRun: false, rows: [{ line: 7, key: '1', record: {} }] };
const quick = { giveUpAfterMs: 10_000, pausesMs: [1] };

/** A server that gives these answers one after the other, and keeps to the last. `'cut'` ends the connection within the answer. */
const serving = async (answers: readonly (readonly [number, object] | 'cut')[]) => {
  const keys: (string | undefined)[] = [];
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    keys.push(request.headers['idempotency-key'] as string);
    const next = answers[Math.min(keys.length, answers.length) - 1]!;
    if (next === 'cut') {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
      response.write('{"results":');
      setImmediate(() => response.destroy());
      return;
    }
    const [status, content] = next;
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(content));
  };
  const server = createServer((request, response) => request.resume().on('end', () => answer(request, response)));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { address, keys, close: () => new Promise((resolve) => server.close(resolve)) };
};

describe('sending a batch', () => {
  const results = [{ line: 7, outcome: 'created' }];

  it('sends it again under the same key while the api is busy, starting, cut off or still at it', async () => {
    const server = await serving([
      [429, { code: 'rate-limited', detail: 'Too many requests.' }],
      [503, { code: 'vault-unavailable', detail: 'The vault does not answer.' }],
      'cut',
      [409, { code: 'idempotency-in-progress', detail: 'Under way.' }],
      [200, { results }],
    ]);
    const waited: string[] = [];
    const send = sendRows(new ApiClient(server.address, 'token', 1), 'avtale', (reason) => waited.push(reason), quick);
    expect(await send('customers', body)).toEqual(results);
    expect(server.keys).toHaveLength(5);
    expect(new Set(server.keys).size).toBe(1);
    expect(waited.map((reason) => reason.split(' ')[0])).toEqual(['Too', 'The', 'Nobody', 'Under']);
    await send('customers', body);
    expect(new Set(server.keys).size).toBe(2);
    await server.close();
  });

  it('throws at once what waiting does not mend', async () => {
    const server = await serving([[403, { code: 'purpose-not-allowed', detail: 'Not for that.' }]]);
    const send = sendRows(new ApiClient(server.address, 'token', 1), 'avtale', () => undefined, quick);
    await expect(send('customers', body)).rejects.toMatchObject({ code: 'purpose-not-allowed' });
    expect(server.keys).toHaveLength(1);
    await server.close();
  });

  it('gives up in the end, with the line and the way on', async () => {
    const server = await serving([[503, { code: 'vault-unavailable', detail: 'The vault does not answer.' }]]);
    const impatient = { giveUpAfterMs: 50, pausesMs: [10] };
    const send = sendRows(new ApiClient(server.address, 'token', 1), 'avtale', () => undefined, impatient);
    await expect(send('customers', body)).rejects.toMatchObject({
      message: expect.stringMatching(/from line 7 .*vault-unavailable/),
      wayOut: expect.stringContaining('not added twice'),
    });
    await server.close();
  });
});
