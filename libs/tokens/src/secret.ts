import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { isId } from '#kernel';

/**
 * A token as its holder has it: `mk_<token id without dashes>_<256 random bits, base64url>`. The id finds the row, so that the
 * comparison of the secret is one of two hashes, in constant time, and no index of secrets exists.
 */
const FORM = /^mk_([0-9a-f]{32})_([A-Za-z0-9_-]{43})$/;

/** Makes the text of a new token, and the hash that is kept of it. */
export const makeSecret = (tokenId: string): { token: string; hash: Buffer } => {
  const secret = randomBytes(32).toString('base64url');
  return { token: `mk_${tokenId.replaceAll('-', '')}_${secret}`, hash: hashOf(secret) };
};

/** The id and the hash of a token's text, or undefined when it has not the form of one. */
export const readSecret = (token: string): { tokenId: string; hash: Buffer } | undefined => {
  const [, hex, secret] = FORM.exec(token) ?? [];
  if (!hex || !secret) return undefined;
  const tokenId = hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  return isId(tokenId) ? { tokenId, hash: hashOf(secret) } : undefined;
};

export const sameHash = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && timingSafeEqual(a, b);

// A fast hash is enough, and needed on every request: 256 random bits can't be guessed, however fast one hashes.
const hashOf = (secret: string): Buffer => createHash('sha256').update(secret).digest();
