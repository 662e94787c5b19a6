import { randomInt } from 'node:crypto';
import type { JSONWebKeySet } from 'jose';
import type { SigningKeys } from '#signing';
import { AnotherKindOfSignature, sign, verify } from '#signing';
import type { Plan, Executed } from './erasure-case.js';
import type { DestroyedKey, PlanLine } from './erasure.events.js';
import { countsOf } from './plan.js';

const TYPE = 'makuler-erasure-certificate+jws';

/** What a certificate says. No id but the erasure's, no partition, no value: it may be handed to anybody. */
export interface CertificateClaims {
  readonly version: 1;
  readonly erasureId: string;
  readonly statement: string;
  readonly ground: string;
  readonly ownerKind: 'subject' | 'company';
  /** Keys destroyed, by category. */
  readonly destroyed: Readonly<Record<string, number>>;
  /** SHA-256 of each destroyed key, hex, in random order. */
  readonly fingerprints: readonly string[];
  /** Since then no process answers with what these keys sealed. RFC 3339. */
  readonly liveErasedAt: string;
  /** From then on no backup can give it back; null while that date is not set. */
  readonly backupsClearedBy: string | null;
  /** What is kept, until when, under which law. */
  readonly kept: readonly PlanLine[];
  readonly planHash: string;
  readonly policyVersion: string;
  readonly issuedAt: string;
}

/** What the certificate of an executed plan says. */
export const claimsOf = (plan: Plan, executed: Executed, issuedAt: Date): CertificateClaims => ({
  version: 1,
  erasureId: plan.erasureId,
  statement: 'The data under these keys were made unreadable by destroying the keys.',
  ground: plan.ground,
  ownerKind: plan.owner.kind,
  destroyed: destroyedCounts(executed.destroyed),
  // In any other order the fingerprints of a category would stand together and follow the order of the scopes.
  fingerprints: shuffled(executed.destroyed.map(({ fingerprint }) => fingerprint)),
  liveErasedAt: executed.liveErasedAt,
  backupsClearedBy: null,
  kept: plan.summary.filter((line) => line.action !== 'shred'),
  planHash: plan.planHash,
  policyVersion: plan.policyVersion,
  issuedAt: issuedAt.toISOString(),
});

const destroyedCounts = (destroyed: readonly DestroyedKey[]): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const { category } of destroyed) counts[category] = (counts[category] ?? 0) + 1;
  return counts;
};

const shuffled = <T>(items: readonly T[]): readonly T[] => {
  const order = [...items];
  for (let i = order.length - 1; i > 0; i--) {
    const j = randomInt(i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
};

/** Signs a certificate: JWS in compact form, Ed25519 (RFC 8037). */
export const signCertificate = (claims: CertificateClaims, keys: SigningKeys): Promise<string> =>
  sign(TYPE, JSON.stringify(claims), keys);

/** Verifies a certificate offline, with the keys of `/.well-known/jwks.json`. Throws when it was not signed by one of them. */
export const verifyCertificate = async (certificate: string, keys: JSONWebKeySet): Promise<CertificateClaims> => {
  const claims = await verify(TYPE, certificate.trim(), keys).catch((error: unknown) => {
    if (error instanceof AnotherKindOfSignature)
      throw new Error('this is signed, but it is no certificate of an erasure');
    throw error;
  });
  return JSON.parse(claims) as CertificateClaims;
};

/** How many scopes of each category a plan keeps. */
export const keptCounts = (plan: Plan): Readonly<Record<string, number>> =>
  countsOf(plan.summary, (line) => line.action !== 'shred');
