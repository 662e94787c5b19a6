import { once } from 'node:events';
import type { Http2Server, Settings } from 'node:http2';
import { createServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { EventStoreDBClient } from '@eventstore/db-client';
import { widenWindowOf } from './flow-window.js';

describe("a vendor's client", () => {
  let server: Http2Server;
  beforeEach(async () => {
    server = createServer();
    await once(server.listen(0, '127.0.0.1'), 'listening');
  });
  afterEach(() => server.close());

  it('lets the server send a mebibyte ahead of what was read', async () => {
    const { port } = server.address() as AddressInfo;
    const client = EventStoreDBClient.connectionString(`esdb://127.0.0.1:${port}?tls=false`);
    widenWindowOf(client);
    const told = Promise.withResolvers<Settings>();
    server.once('session', (session) => session.once('remoteSettings', told.resolve));
    const reading = client.readAll({ maxCount: 1 });
    reading.on('error', () => undefined);
    expect((await told.promise).initialWindowSize).toBe(1024 * 1024);
    await reading.cancel();
    await client.dispose();
  });

  it('of a version that is not known is refused', () => {
    expect(() => widenWindowOf({} as EventStoreDBClient)).toThrow('not known');
  });
});
