import { once } from 'node:events';
import { createServer } from 'node:net';
import { freePort, tryPort } from './ports.js';

const HOST = '127.0.0.1';

describe('a free port', () => {
  it('is none that the system gives to connections', async () => {
    const ports = await Promise.all(Array.from({ length: 200 }, () => freePort(HOST)));
    expect(Math.min(...ports)).toBeGreaterThanOrEqual(1024);
    expect(Math.max(...ports)).toBeLessThan(32_768);
    // Asked for at once, nobody listening yet: each goes to one.
    expect(new Set(ports).size).toBe(200);
    expect(await tryPort(HOST, ports[0]!)).toBe(ports[0]);
  });

  it('is the last one while that is free, and another when it is taken or belongs to somebody else', async () => {
    const last = await freePort(HOST);
    expect(await freePort(HOST, last)).toBe(last);
    expect(await freePort(HOST, last, [last])).not.toBe(last);
    const server = createServer().listen(last, HOST);
    await once(server, 'listening');
    expect(await freePort(HOST, last)).not.toBe(last);
    await expect(tryPort(HOST, last)).rejects.toMatchObject({ code: 'EADDRINUSE' });
    server.close();
  });

  it('is told to be impossible where the machine has no such address', async () => {
    await expect(freePort('203.0.113.1')).rejects.toMatchObject({ code: 'EADDRNOTAVAIL' });
  });
});
