import { deriveKey, openBytes } from '#vault/primitive';

/** What the vault seals for itself, and what of it holds a key (docs/formats/vault-keys.md). */
export const KINDS = { 'epoch-key': 1, 'bucket-key': 2, scope: 3 } as const;
export type Kind = keyof typeof KINDS;

export const KEY_BYTES = 32;
const VERSION = 1;
const NONCE_AND_TAG_BYTES = 24 + 16;
const PADDED_TO_BYTES = 64;

/** Bytes of the envelope of one key. */
export const WRAPPED_KEY_BYTES = 2 + NONCE_AND_TAG_BYTES + PADDED_TO_BYTES;

/** What kind of envelope these bytes can be: version, kind, and a length that padding gives. */
export const kindOf = (bytes: Buffer): Kind | undefined => {
  const kind = (Object.keys(KINDS) as Kind[]).find((name) => KINDS[name] === bytes[1]);
  const content = bytes.length - 2 - NONCE_AND_TAG_BYTES;
  if (bytes[0] !== VERSION || kind === undefined || content <= 0 || content % PADDED_TO_BYTES !== 0) return undefined;
  return kind === 'scope' || bytes.length === WRAPPED_KEY_BYTES ? kind : undefined;
};

/** The content, where the envelope was sealed with this key for this place; else `undefined`. */
export const openEnvelope = (
  kind: Kind,
  key: Uint8Array,
  envelope: Buffer,
  place: readonly (string | number)[],
): Buffer | undefined => {
  const content = openBytes(
    key,
    envelope.subarray(2),
    Buffer.from([`makuler/vault/${kind}/${VERSION}`, ...place].join('\n')),
  );
  return content && Buffer.from(content);
};

/** Of the two keys that a bucket key stands for, the one that seals records. */
export const recordsKey = (bucketKey: Uint8Array): Uint8Array => deriveKey(bucketKey, 1, 'mkbucket');
