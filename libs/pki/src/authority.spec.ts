import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { ensureAuthority, type CertificateFiles } from './authority.js';

const pem = async (files: CertificateFiles) => ({
  cert: await readFile(files.certFile),
  key: await readFile(files.keyFile),
  ca: await readFile(files.caFile),
});

/** The common name by which the server knows the client after a mutual handshake, or the code of the failure. */
const shakeHands = async (server: CertificateFiles, client: CertificateFiles, host: string): Promise<string> => {
  const listener = createServer({ ...(await pem(server)), requestCert: true, rejectUnauthorized: true }, (socket) =>
    socket.end(String(socket.getPeerCertificate().subject.CN)),
  ).on('tlsClientError', () => {});
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const port = (listener.address() as AddressInfo).port;
  const socket: TLSSocket = connect({ host: '127.0.0.1', port, servername: host, ...(await pem(client)) });
  try {
    let said = '';
    for await (const chunk of socket) said += String(chunk);
    return said;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'failed';
  } finally {
    listener.close();
  }
};

describe('certificate authority', () => {
  let home: string;
  beforeEach(async () => (home = await mkdtemp(join(tmpdir(), 'makuler-pki-'))));
  afterEach(() => rm(home, { recursive: true }));

  it('issues certificates that both ends of a mutual TLS connection accept', async () => {
    const authority = await ensureAuthority(join(home, 'pki'));
    const server = await authority.ensureCertificate('server', { usage: 'server' });
    const client = await authority.ensureCertificate('api', { usage: 'client' });
    expect(await shakeHands(server, client, 'localhost')).toBe('api');
  });

  it('gives a client certificate no power to act as a server, nor the other way round', async () => {
    const authority = await ensureAuthority(join(home, 'pki'));
    const server = await authority.ensureCertificate('server', { usage: 'server' });
    const client = await authority.ensureCertificate('api', { usage: 'client' });
    expect(await shakeHands(client, client, 'localhost')).not.toBe('api');
    expect(await shakeHands(server, server, 'localhost')).not.toBe('server');
  });

  it('is not trusted by another installation', async () => {
    const ours = await (await ensureAuthority(join(home, 'a'))).ensureCertificate('server', { usage: 'server' });
    const theirs = await (await ensureAuthority(join(home, 'b'))).ensureCertificate('api', { usage: 'client' });
    expect(await shakeHands(ours, theirs, 'localhost')).toBe('SELF_SIGNED_CERT_IN_CHAIN');
  });

  it('keeps private keys to the owner and leaves no half-written file', async () => {
    await (await ensureAuthority(join(home, 'pki'))).ensureCertificate('server', { usage: 'server' });
    const mode = async (name: string) => ((await stat(join(home, 'pki', name))).mode & 0o777).toString(8);
    expect([await mode('.'), await mode('ca.key'), await mode('server.key')]).toEqual(['700', '600', '600']);
    expect((await readdir(join(home, 'pki'))).sort()).toEqual(['ca.crt', 'ca.key', 'server.crt', 'server.key']);
  });

  it('changes nothing at the second start, nor when several processes start at once', async () => {
    const all = await Promise.all(
      Array.from({ length: 8 }, async () =>
        (await ensureAuthority(join(home, 'pki'))).ensureCertificate('s', { usage: 'server' }),
      ),
    );
    const before = await pem(all[0]!);
    const again = await (await ensureAuthority(join(home, 'pki'))).ensureCertificate('s', { usage: 'server' });
    expect(await pem(again)).toEqual(before);
    const client = await (await ensureAuthority(join(home, 'pki'))).ensureCertificate('c', { usage: 'client' });
    expect(await shakeHands(again, client, 'localhost')).toBe('c');
  });

  it('issues anew, for the same key, when the hosts change', async () => {
    const authority = await ensureAuthority(join(home, 'pki'));
    const first = await pem(await authority.ensureCertificate('server', { usage: 'server' }));
    const files = await authority.ensureCertificate('server', { usage: 'server', hosts: ['events.example'] });
    const client = await authority.ensureCertificate('api', { usage: 'client' });
    expect((await pem(files)).key).toEqual(first.key);
    expect(await shakeHands(files, client, 'events.example')).toBe('api');
    expect(await shakeHands(files, client, 'localhost')).toBe('ERR_TLS_CERT_ALTNAME_INVALID');
  });

  it.each(['../x', 'ca', '', 'A b'])('refuses the name %j', async (name) => {
    const authority = await ensureAuthority(join(home, 'pki'));
    await expect(authority.ensureCertificate(name, { usage: 'client' })).rejects.toThrow('not a name');
  });
});
