import { createHash } from 'node:crypto';
import sodium from 'libsodium-wrappers';

await sodium.ready;
// A key that does not fit is the usual outcome here, a hundred thousand times: no traces of where it was found out.
Error.stackTraceLimit = 0;

/** docs/formats/README.md, "The primitive": the plaintext, or `undefined` when key, bytes and data do not fit together. */
export const open = (key, sealed, data) => {
  if (sealed.length < 24 + 64 + 16) return undefined;
  try {
    const padded = sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(
      null,
      sealed.subarray(24),
      data,
      sealed.subarray(0, 24),
      key,
    );
    return Buffer.from(sodium.unpad(padded, 64));
  } catch {
    return undefined;
  }
};

export const KINDS = { 'epoch-key': 1, 'bucket-key': 2, scope: 3, tombstone: 4, fence: 5 };

/** docs/formats/vault-keys.md: opens an envelope of the vault at a place. */
export const openEnvelope = (kind, key, envelope, place) =>
  envelope[0] === 1 && envelope[1] === KINDS[kind]
    ? open(key, envelope.subarray(2), Buffer.from([`makuler/vault/${kind}/1`, ...place].join('\n')))
    : undefined;

const derived = (bucketKey, id) => Buffer.from(sodium.crypto_kdf_derive_from_key(32, id, 'mkbucket', bucketKey));
export const recordsKey = (bucketKey) => derived(bucketKey, 1);
export const identitiesKey = (bucketKey) => derived(bucketKey, 2);

export const blake2b = (message, key) => Buffer.from(sodium.crypto_generichash(32, message, key ?? null));

/** How a certificate or a receipt names a destroyed key. */
export const fingerprint = (dataKey) =>
  createHash('sha256').update('makuler/key-fingerprint/1').update(dataKey).digest('hex');
