import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { MakulerClient } from '#client';
import { sendRows } from './send-rows.js';

const body = { source: 'shop', dryRun: false, rows: [{ line: 7, key: '1', record: {} }] };

/** A server that gives these answers one after the other, and keeps to the last. */
const serving = async (answers: readonly (readonly [number, object])[], giveUpAfterMs = 30_000) => {
  const keys: unknown[] = [];
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      keys.push(request.headers['idempotency-key']);
      const [status, content] = answers[Math.min(keys.length, answers.length) - 1]!;
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(content));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const send = sendRows(new MakulerClient({ address, patience: { giveUpAfterMs, pausesMs: [10] } }), 'avtale');
  return { send, keys, close: () => new Promise((resolve) => server.close(resolve)) };
};

describe('sending a batch', () => {
  it('is one command, and the next batch another', async () => {
    const results = [{ line: 7, outcome: 'created' }];
    const server = await serving([
      [503, { code: 'vault-unavailable', detail: 'No.' }],
      [200, { results }],
    ]);
    expect(await server.send('customers', body)).toEqual(results);
    await server.send('customers', body);
    const [first, again, next] = server.keys;
    expect(again).toBe(first);
    expect(next).not.toBe(first);
    await server.close();
  });

  it('throws at once what waiting does not mend', async () => {
    const server = await serving([[403, { code: 'purpose-not-allowed', detail: 'Not for that.' }]]);
    await expect(server.send('customers', body)).rejects.toMatchObject({ code: 'purpose-not-allowed' });
    expect(server.keys).toHaveLength(1);
    await server.close();
  });

  it('gives up in the end, with the line and the way on', async () => {
    const server = await serving([[503, { code: 'vault-unavailable', detail: 'The vault does not answer.' }]], 50);
    await expect(server.send('customers', body)).rejects.toMatchObject({
      message: expect.stringMatching(/from line 7 .*vault-unavailable/),
      wayOut: expect.stringContaining('not added twice'),
    });
    await server.close();
  });
});
