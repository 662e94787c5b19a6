import type { JSONWebKeySet } from 'jose';
import type { SigningKeys } from '#signing';
import { AnotherKindOfSignature, sign, verify } from '#signing';

const TYPE = 'makuler-erasure-attestation+jws';

/** What an attestation says: the date that the certificate planned has come true. It belongs to one certificate, named by its hash. */
export interface AttestationClaims {
  readonly version: 1;
  readonly erasureId: string;
  /** SHA-256 (hex) of the newest certificate, as `certificateHash` computes it. */
  readonly certificate: string;
  readonly statement: string;
  /** RFC 3339. When the last mirror had confirmed that its last root was gone. */
  readonly backupsClearedAt: string;
  /** The last epoch whose roots could open a copy of the destroyed keys: those of all epochs up to it are gone. */
  readonly epoch: number;
  /** How many mirrors of the custodian are enrolled; every one of them has confirmed. */
  readonly mirrors: number;
  readonly issuedAt: string;
}

/** The sentence of every attestation. */
export const ATTESTED =
  'Every enrolled mirror of the custodian has confirmed that the roots are destroyed which could open a copy of these keys: ' +
  'no backup can give the data back.';

/** Signs an attestation: JWS in compact form, Ed25519 (RFC 8037). */
export const signAttestation = (claims: AttestationClaims, keys: SigningKeys): Promise<string> =>
  sign(TYPE, JSON.stringify(claims), keys);

/** Verifies an attestation offline, with the keys of `/.well-known/jwks.json`. Throws when it was not signed by one of them. */
export const verifyAttestation = async (attestation: string, keys: JSONWebKeySet): Promise<AttestationClaims> => {
  const payload = await verify(TYPE, attestation.trim(), keys).catch((error: unknown) => {
    if (error instanceof AnotherKindOfSignature)
      throw new Error('this is signed, but it is no attestation of an erasure');
    throw error;
  });
  const claims = JSON.parse(payload) as AttestationClaims;
  if (claims.version !== 1) throw new Error('this attestation is of a newer version');
  return claims;
};
