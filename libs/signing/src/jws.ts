import type { JSONWebKeySet } from 'jose';
import { CompactSign, compactVerify, createLocalJWKSet } from 'jose';
import type { SigningKeys } from './signing-keys.js';

/** Signs a text: JWS in compact form, Ed25519 (RFC 7515, RFC 8037). `typ` stands in the header and says what the text is. */
export const sign = async (typ: string, payload: string, keys: SigningKeys): Promise<string> => {
  const { kid, privateKey } = await keys.signing();
  return new CompactSign(new TextEncoder().encode(payload))
    .setProtectedHeader({ alg: 'EdDSA', kid, typ })
    .sign(privateKey);
};

/** Somebody's key has signed this, but not as what it is shown for. */
export class AnotherKindOfSignature extends Error {}

/**
 * The signed text. Throws a JOSEError when none of the keys (those of `/.well-known/jwks.json`) has signed it, and
 * AnotherKindOfSignature when its header has another `typ`: what was signed for one purpose is good for no other.
 */
export const verify = async (typ: string, jws: string, keys: JSONWebKeySet): Promise<string> => {
  const { payload, protectedHeader } = await compactVerify(jws, createLocalJWKSet(keys), { algorithms: ['EdDSA'] });
  if (protectedHeader.typ !== typ) throw new AnotherKindOfSignature(`this is signed, but as ${protectedHeader.typ}`);
  return new TextDecoder().decode(payload);
};
