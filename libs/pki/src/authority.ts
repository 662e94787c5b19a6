import 'reflect-metadata'; // @peculiar/x509 does not load without it
import { createPrivateKey, createPublicKey, randomBytes, webcrypto, X509Certificate } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';
import * as x509 from '@peculiar/x509';
import { createOnce, readIfThere, replace } from './files.js';

/** Where a certificate lies, as PEM files; `caFile` is what the other side is told to trust. */
export interface CertificateFiles {
  readonly certFile: string;
  readonly keyFile: string;
  readonly caFile: string;
}

export interface CertificateWish {
  /**
   * `node`: a node of KurrentDB, which is a server to us and a client of its peers. It reads RSA keys only (kurrentdb#2524), and
   * takes a certificate for a node's only with these usages (`IsServerCertificate` of its source).
   */
  readonly usage: 'server' | 'client' | 'node';
  /** Names and addresses that a server answers to. Default: localhost, 127.0.0.1, ::1. */
  readonly hosts?: readonly string[];
}

/** A certificate authority of one installation. Whoever reads its directory can become any of its servers and clients. */
export interface Authority {
  readonly caFile: string;
  /**
   * The files `<name>.crt` and `<name>.key`, made when they are missing. The certificate is issued again, for the same key,
   * when it has less than a year left, is of another authority or does not cover the wish. Names: a-z, 0-9, dot, dash.
   * `own`: a directory for these two and a copy of `ca.crt`, to be handed to one program; the authority's own without it.
   */
  ensureCertificate(name: string, wish: CertificateWish, own?: string): Promise<CertificateFiles>;
  /** Puts `ca.crt` into a directory, made when it is missing. Returns the file. */
  handOut(directory: string): Promise<string>;
}

const ECDSA = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const RSA = {
  name: 'RSASSA-PKCS1-v1_5',
  modulusLength: 3072,
  publicExponent: new Uint8Array([1, 0, 1]),
  hash: 'SHA-256',
} as const;
const { digitalSignature, keyEncipherment } = x509.KeyUsageFlags;
const { serverAuth, clientAuth } = x509.ExtendedKeyUsage;
const USAGE = {
  server: { algorithm: ECDSA, key: digitalSignature, extended: [serverAuth] },
  client: { algorithm: ECDSA, key: digitalSignature, extended: [clientAuth] },
  node: { algorithm: RSA, key: digitalSignature | keyEncipherment, extended: [serverAuth, clientAuth] },
} as const;
const LOOPBACK = ['localhost', '127.0.0.1', '::1'];
const PRIVATE = 0o600;
const PUBLIC = 0o644;
const DAY_MS = 86_400_000;
const AUTHORITY_DAYS = 20 * 365;
const CERTIFICATE_DAYS = 3 * 365;
const RENEW_BELOW_DAYS = 365;

type Keys = webcrypto.CryptoKeyPair;

/** The PKCS#8 key in `file`, made when it is missing. */
const ensureKey = async (file: string, algorithm: typeof ECDSA | typeof RSA): Promise<Keys> => {
  let pem = await readIfThere(file);
  if (pem === undefined) {
    const fresh = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
    const pkcs8 = await webcrypto.subtle.exportKey('pkcs8', fresh.privateKey);
    pem = await createOnce(file, x509.PemConverter.encode(pkcs8, 'PRIVATE KEY') + '\n', PRIVATE);
  }
  const key = createPrivateKey(pem);
  const der = {
    private: key.export({ format: 'der', type: 'pkcs8' }),
    public: createPublicKey(key).export({ format: 'der', type: 'spki' }),
  };
  return {
    privateKey: await webcrypto.subtle.importKey('pkcs8', der.private, algorithm, false, ['sign']),
    publicKey: await webcrypto.subtle.importKey('spki', der.public, algorithm, true, ['verify']),
  };
};

/** A day back, so that a clock that is set right a little later does not make today's certificate "not yet valid". */
const validity = (days: number) => ({
  notBefore: new Date(Date.now() - DAY_MS),
  notAfter: new Date(Date.now() + days * DAY_MS),
});

/** RFC 5280 4.1.2.2: positive, at most 20 octets. */
const serialNumber = (): string => `01${randomBytes(15).toString('hex')}`;

const selfSigned = async (keys: Keys): Promise<string> => {
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    // A name of its own, or a client that trusts two installations could not tell their authorities apart.
    name: `CN=Makuler authority ${randomBytes(6).toString('hex')}`,
    serialNumber: serialNumber(),
    ...validity(AUTHORITY_DAYS),
    signingAlgorithm: ECDSA,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return certificate.toString('pem') + '\n';
};

const issue = async (
  ca: x509.X509Certificate,
  caKeys: Keys,
  keys: Keys,
  name: string,
  wish: CertificateWish,
): Promise<string> => {
  const hosts = wish.usage === 'client' ? [] : (wish.hosts ?? LOOPBACK);
  const alternative = hosts.map((value) => ({ type: isIP(value) ? ('ip' as const) : ('dns' as const), value }));
  const certificate = await x509.X509CertificateGenerator.create({
    subject: `CN=${name}`,
    issuer: ca.subject,
    serialNumber: serialNumber(),
    ...validity(CERTIFICATE_DAYS),
    signingAlgorithm: ECDSA,
    publicKey: keys.publicKey,
    signingKey: caKeys.privateKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(USAGE[wish.usage].key, true),
      new x509.ExtendedKeyUsageExtension([...USAGE[wish.usage].extended]),
      ...(alternative.length > 0 ? [new x509.SubjectAlternativeNameExtension(alternative)] : []),
      await x509.AuthorityKeyIdentifierExtension.create(ca.publicKey),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return certificate.toString('pem') + '\n';
};

const stillGood = (pem: string, keyPem: string, caPem: string, name: string, wish: CertificateWish): boolean => {
  const certificate = new X509Certificate(pem);
  const daysLeft = (certificate.validToDate.getTime() - Date.now()) / DAY_MS;
  const covers = (host: string) => (isIP(host) ? certificate.checkIP(host) : certificate.checkHost(host)) !== undefined;
  return (
    daysLeft > RENEW_BELOW_DAYS &&
    certificate.subject === `CN=${name}` &&
    certificate.verify(new X509Certificate(caPem).publicKey) &&
    certificate.checkPrivateKey(createPrivateKey(keyPem)) &&
    USAGE[wish.usage].extended.every((usage) => certificate.keyUsage?.includes(usage)) &&
    (wish.usage === 'client' || (wish.hosts ?? LOOPBACK).every(covers))
  );
};

/**
 * The certificate authority in `directory` (`ca.crt`, `ca.key`), made when it is missing. Keys are ECDSA P-256, a node's RSA 3072, with
 * mode 0600 in directories with mode 0700, every file is written whole or not at all, and two processes that start at once end
 * up with the same authority. Rejects when the directory can't be read or written, or holds something else under these names.
 */
export const ensureAuthority = async (directory: string): Promise<Authority> => {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const caFile = join(directory, 'ca.crt');
  const caKeys = await ensureKey(join(directory, 'ca.key'), ECDSA);
  const caPem = (await readIfThere(caFile)) ?? (await createOnce(caFile, await selfSigned(caKeys), PUBLIC));
  const ca = new x509.X509Certificate(caPem);
  const handOut = async (to: string): Promise<string> => {
    await mkdir(to, { recursive: true, mode: 0o700 });
    const file = join(to, 'ca.crt');
    if ((await readIfThere(file)) !== caPem) await replace(file, caPem, PUBLIC);
    return file;
  };
  return {
    caFile,
    handOut,
    async ensureCertificate(name, wish, own = directory) {
      if (!/^[a-z0-9][a-z0-9.-]*$/.test(name) || name === 'ca')
        throw new Error(`not a name for a certificate: ${name}`);
      const trusted = await handOut(own);
      const certFile = join(own, `${name}.crt`);
      const keyFile = join(own, `${name}.key`);
      const keys = await ensureKey(keyFile, USAGE[wish.usage].algorithm);
      const [present, keyPem] = [await readIfThere(certFile), (await readIfThere(keyFile))!];
      if (present === undefined || !stillGood(present, keyPem, caPem, name, wish)) {
        await replace(certFile, await issue(ca, caKeys, keys, name, wish), PUBLIC);
      }
      return { certFile, keyFile, caFile: trusted };
    },
  };
};
