import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type TLSSocket } from 'node:tls';
import * as x509 from '@peculiar/x509';
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

  it('gives each program that has a directory of its own its key, its certificate and the authority, and no other key', async () => {
    const authority = await ensureAuthority(join(home, 'authority'));
    const [server, client] = await Promise.all([
      authority.ensureCertificate('vault', { usage: 'server' }, join(home, 'vault')),
      authority.ensureCertificate('api', { usage: 'client' }, join(home, 'api')),
    ]);
    expect(await shakeHands(server, client, 'localhost')).toBe('api');
    const names = async (name: string) => (await readdir(join(home, name))).sort();
    expect(await names('authority')).toEqual(['ca.crt', 'ca.key']);
    expect(await names('vault')).toEqual(['ca.crt', 'vault.crt', 'vault.key']);
    expect(await names('api')).toEqual(['api.crt', 'api.key', 'ca.crt']);
    expect((await stat(join(home, 'api'))).mode & 0o777).toBe(0o700);
  });

  it('hands out both authorities while one takes the place of the other, and what the new one issued', async () => {
    const issued = async () => {
      const authority = await ensureAuthority(join(home, 'authority'));
      return [
        await authority.ensureCertificate('vault', { usage: 'server' }, join(home, 'vault')),
        await authority.ensureCertificate('api', { usage: 'client' }, join(home, 'api')),
      ] as const;
    };
    const before = await Promise.all((await issued()).map(pem));
    const next = await ensureAuthority(join(home, 'next'));
    const [old, young] = [await readFile(join(home, 'authority/ca.crt')), await readFile(next.caFile)];
    await writeFile(join(home, 'authority/ca.crt'), Buffer.concat([old, young]));
    for (const [index, files] of (await issued()).entries())
      expect(await pem(files)).toEqual({ ...before[index], ca: Buffer.concat([old, young]) });

    const [vault] = await issued();
    const kept = join(home, 'kept');
    await mkdir(kept);
    for (const [name, content] of Object.entries(await pem(vault))) await writeFile(join(kept, name), content);
    const running = { certFile: join(kept, 'cert'), keyFile: join(kept, 'key'), caFile: join(kept, 'ca') };
    await writeFile(join(home, 'authority/ca.key'), await readFile(join(home, 'next/ca.key')));
    await writeFile(join(home, 'authority/ca.crt'), Buffer.concat([young, old]));
    const [, client] = await issued();
    expect(new X509Certificate((await pem(client)).cert).verify(new X509Certificate(young).publicKey)).toBe(true);
    expect(await shakeHands(running, client, 'localhost')).toBe('api');
  });

  describe('for a node of KurrentDB', () => {
    const node = async () => {
      const authority = await ensureAuthority(join(home, 'pki'));
      return authority.ensureCertificate('event-node', { usage: 'node', hosts: ['a.events', 'b.events'] });
    };

    it('issues what KurrentDB takes for a node’s: an RSA key, and the usages of a server and a client', async () => {
      const { cert, key } = await pem(await node());
      expect(createPrivateKey(key)).toMatchObject({
        asymmetricKeyType: 'rsa',
        asymmetricKeyDetails: { modulusLength: 3072 },
      });
      // It takes all lines between the first and the last for the key.
      expect(key.toString()).toMatch(/^-----BEGIN PRIVATE KEY-----\n([\w+/=]+\n)+-----END PRIVATE KEY-----\n$/);
      const issued = new x509.X509Certificate(cert);
      const { digitalSignature, keyEncipherment } = x509.KeyUsageFlags;
      expect(issued.getExtension(x509.KeyUsagesExtension)!.usages).toBe(digitalSignature | keyEncipherment);
      expect([...issued.getExtension(x509.ExtendedKeyUsageExtension)!.usages].toSorted()).toEqual(
        [x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth].toSorted(),
      );
      const { subject, subjectAltName } = new X509Certificate(cert);
      expect([subject, subjectAltName]).toEqual(['CN=event-node', 'DNS:a.events, DNS:b.events']);
    });

    // Node verifies by OpenSSL, as .NET does on Linux: an authority with an ECDSA key may sign an RSA one.
    it('is known to our clients and to the other nodes under each of its names', async () => {
      const files = await node();
      const authority = await ensureAuthority(join(home, 'pki'));
      const client = await authority.ensureCertificate('api', { usage: 'client' });
      expect(await shakeHands(files, client, 'b.events')).toBe('api');
      expect(await shakeHands(files, files, 'a.events')).toBe('event-node');
    });

    it('is issued anew, for the same key, only when its names change', async () => {
      const [first, second] = [await pem(await node()), await pem(await node())];
      expect(second).toEqual(first);
      const authority = await ensureAuthority(join(home, 'pki'));
      const third = await pem(await authority.ensureCertificate('event-node', { usage: 'node', hosts: ['c.events'] }));
      expect(third.key).toEqual(first.key);
      expect(third.cert).not.toEqual(first.cert);
    });
  });

  it.each(['../x', 'ca', '', 'A b'])('refuses the name %j', async (name) => {
    const authority = await ensureAuthority(join(home, 'pki'));
    await expect(authority.ensureCertificate(name, { usage: 'client' })).rejects.toThrow('not a name');
  });
});
