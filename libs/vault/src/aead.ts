import { createHash, randomBytes } from 'node:crypto';
import { randomPart } from '#kernel';
import sodium from 'libsodium-wrappers';

// The WebAssembly module is compiled once, before anything that imports this file runs.
await sodium.ready;

/** Bytes of a key of any level: root, epoch, bucket, data. */
export const KEY_BYTES = 32;
export const NONCE_BYTES = sodium.crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
const TAG_BYTES = sodium.crypto_aead_xchacha20poly1305_ietf_ABYTES;
/** Plaintexts are padded to multiples of this, so that a length confirms no guess about the content. */
const PAD_BYTES = 64;
const PAD_MARK = 0x80;

/** A fresh 256-bit key from the operating system's generator. */
export const newKey = (): Uint8Array => new Uint8Array(randomBytes(KEY_BYTES));

/** So many of them, drawn in one call, which costs as much as one for a single key. Nothing of what was drawn stays beside them. */
export const newKeys = (count: number): Uint8Array[] => {
  if (count === 0) return [];
  const drawn = randomBytes(count * KEY_BYTES);
  const keys = Array.from(
    { length: count },
    (_, n) => new Uint8Array(drawn.subarray(n * KEY_BYTES, (n + 1) * KEY_BYTES)),
  );
  wipe(drawn);
  return keys;
};

/** Overwrites key bytes. What libsodium and the garbage collector copied before is beyond reach (docs/threat-model.md). */
export const wipe = (bytes: Uint8Array): void => sodium.memzero(bytes);

/**
 * XChaCha20-Poly1305-IETF over the padded plaintext: nonce (24) ‖ ciphertext ‖ tag (16). The nonce is random: at 192 bits
 * no counter is needed. A nonce is passed in only by test vectors.
 */
export const sealBytes = (
  key: Uint8Array,
  plaintext: Uint8Array,
  associatedData: Uint8Array,
  nonce: Uint8Array = randomPart(NONCE_BYTES),
): Uint8Array => {
  const padded = sodium.pad(plaintext, PAD_BYTES);
  const sealed = sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(padded, associatedData, null, nonce, key);
  const block = new Uint8Array(NONCE_BYTES + sealed.length);
  block.set(nonce);
  block.set(sealed, NONCE_BYTES);
  wipe(padded);
  return block;
};

/** The plaintext of a block made by `sealBytes`, or `undefined` when it does not authenticate under this key and data. */
export const openBytes = (key: Uint8Array, block: Uint8Array, associatedData: Uint8Array): Uint8Array | undefined => {
  if (block.length < NONCE_BYTES + TAG_BYTES + PAD_BYTES) return undefined;
  const [nonce, sealed] = [block.subarray(0, NONCE_BYTES), block.subarray(NONCE_BYTES)];
  let padded: Uint8Array;
  try {
    padded = sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(null, sealed, associatedData, nonce, key);
  } catch {
    // libsodium has one failure here, and its message says nothing more: the tag does not match.
    return undefined;
  }
  return unpadded(padded);
};

/**
 * What `sodium.pad` padded (ISO/IEC 7816-4: a byte 0x80, then zeros), where it lies. That of libsodium takes as long for whatever it
 * is given, and leaves a copy behind: here it is authenticated already, and whoever wipes the answer has wiped all there is.
 */
const unpadded = (padded: Uint8Array): Uint8Array | undefined => {
  let end = padded.length - 1;
  while (end > 0 && padded[end] === 0) end--;
  return padded[end] === PAD_MARK && padded.length - end <= PAD_BYTES ? padded.subarray(0, end) : undefined;
};

/** Keys for two uses from one: the same key never both seals and authenticates. `crypto_kdf` of libsodium (BLAKE2b). */
export const deriveKey = (key: Uint8Array, id: number, context: string): Uint8Array =>
  sodium.crypto_kdf_derive_from_key(KEY_BYTES, id, context, key);

/** Keyed BLAKE2b-256. */
export const authenticate = (key: Uint8Array, message: Uint8Array): Uint8Array =>
  sodium.crypto_generichash(32, message, key);

/** Names a destroyed key in a certificate and points to nothing: hex SHA-256("makuler/key-fingerprint/1" ‖ key). */
export const keyFingerprint = (key: Uint8Array): string =>
  createHash('sha256').update('makuler/key-fingerprint/1').update(key).digest('hex');
