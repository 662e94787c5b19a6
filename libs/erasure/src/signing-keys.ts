import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { CryptoKey, JSONWebKeySet, JWK } from 'jose';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK } from 'jose';
import { createOnce, readIfThere } from '#pki';

const FILE = 'certificate-signing.jwk';

/** The key that signs certificates. Made at first start; losing it loses no certificate as long as its public half is kept. */
export class SigningKeys {
  private constructor(
    /** RFC 7638 thumbprint: names the key in certificates and in the published set. */
    readonly kid: string,
    readonly privateKey: CryptoKey,
    /** What `/.well-known/jwks.json` answers. */
    readonly published: JSONWebKeySet,
  ) {}

  /** Opens the key in a directory, and makes it (mode 0600) when there is none. Processes that start at once get the same. */
  static async open(directory: string): Promise<SigningKeys> {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const file = join(directory, FILE);
    const text = (await readIfThere(file)) ?? (await createOnce(file, await newKey(), 0o600));
    const jwk = JSON.parse(text) as JWK;
    const { d: _private, ...shown } = jwk;
    const kid = await calculateJwkThumbprint(jwk);
    const published = { keys: [{ ...shown, kid, use: 'sig', alg: 'EdDSA' }] };
    return new SigningKeys(kid, (await importJWK(jwk, 'EdDSA')) as CryptoKey, published);
  }
}

const newKey = async (): Promise<string> => {
  const { privateKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true });
  return `${JSON.stringify(await exportJWK(privateKey))}\n`;
};
