import type { CryptoKey, JSONWebKeySet, JWK } from 'jose';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK } from 'jose';
import type { Migration, Pool } from '#postgres';
import { inTransaction, migrate } from '#postgres';

/** Name of the list of steps in the control database. */
export const CERTIFICATES = 'certificates';

export const CERTIFICATE_MIGRATIONS: readonly Migration[] = [
  {
    id: '001-certificate-key',
    up: 'create table certificate_key (kid text primary key, jwk json not null, made_at timestamptz not null default now())',
  },
];

/**
 * The keys that certificates and checkpoints are signed with, in the control database: api and workers share them without a shared disk.
 * Made at first start. A key that is replaced stays published, so that what it signed still verifies.
 */
export class SigningKeys {
  #opened: Promise<OpenedKeys> | undefined;

  constructor(private readonly control: Pool) {}

  /** The key that signs now. Throws `database-unavailable`. */
  async signing(): Promise<Pick<OpenedKeys, 'kid' | 'privateKey'>> {
    return this.#open();
  }

  /** What `/.well-known/jwks.json` answers. Throws `database-unavailable`. */
  async published(): Promise<JSONWebKeySet> {
    return (await this.#open()).published;
  }

  #open(): Promise<OpenedKeys> {
    // An outage is not remembered: the next one who asks opens them anew.
    return (this.#opened ??= openKeys(this.control).catch((error: unknown) => {
      this.#opened = undefined;
      throw error;
    }));
  }
}

interface OpenedKeys {
  /** RFC 7638 thumbprint: names the key in certificates and in the published set. */
  readonly kid: string;
  readonly privateKey: CryptoKey;
  readonly published: JSONWebKeySet;
}

/** Processes that open them at once get the same key. */
const openKeys = async (control: Pool): Promise<OpenedKeys> => {
  await migrate(control, CERTIFICATES, CERTIFICATE_MIGRATIONS);
  const keys = await inTransaction(control, async (client) => {
    await client.query('lock table certificate_key in exclusive mode');
    const all = () => client.query<StoredKey>('select kid, jwk from certificate_key order by made_at desc');
    const { rows } = await all();
    if (rows.length > 0) return rows;
    const { kid, jwk } = await newKey();
    await client.query('insert into certificate_key (kid, jwk) values ($1, $2)', [kid, JSON.stringify(jwk)]);
    return (await all()).rows;
  });
  const [newest] = keys;
  if (!newest) throw new Error('the control database has no key to sign with');
  const published = { keys: keys.map(({ kid, jwk }) => publicHalf(kid, jwk)) };
  return { kid: newest.kid, privateKey: (await importJWK(newest.jwk, 'EdDSA')) as CryptoKey, published };
};

interface StoredKey {
  kid: string;
  jwk: JWK;
}

const newKey = async (): Promise<StoredKey> => {
  const { privateKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true });
  const jwk = await exportJWK(privateKey);
  return { kid: await calculateJwkThumbprint(jwk), jwk };
};

/** Named field by field: what is not named here is not published. */
const publicHalf = (kid: string, { kty, crv, x }: JWK): JWK => ({
  ...{ kid, use: 'sig', alg: 'EdDSA' },
  ...(kty === undefined ? {} : { kty }),
  ...(crv === undefined ? {} : { crv }),
  ...(x === undefined ? {} : { x }),
});
