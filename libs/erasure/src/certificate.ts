import { createHash, randomInt } from 'node:crypto';
import type { JSONWebKeySet } from 'jose';
import type { SigningKeys } from '#signing';
import { AnotherKindOfSignature, sign, verify } from '#signing';
import type { Plan, Executed } from './erasure-case.js';
import type { DestroyedKey, PlanLine, RecertificationReason } from './erasure.events.js';
import { countsOf } from './plan.js';

const TYPE = 'makuler-erasure-certificate+jws';

/** What a certificate of any version says. No id but the erasure's, no partition, no value: it may be handed to anybody. */
interface CertificateFacts {
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
  /** RFC 3339. Planned: by then the last root is destroyed that could open any copy of these keys. `null`: no date is promised. */
  readonly backupsClearedBy: string | null;
  /** What is kept, until when, under which law. */
  readonly kept: readonly PlanLine[];
  readonly planHash: string;
  readonly policyVersion: string;
  readonly issuedAt: string;
}

/** A certificate from before there were epochs: it says nothing of backups. */
export interface CertificateClaimsV1 extends CertificateFacts {
  readonly version: 1;
}

export interface CertificateClaimsV2 extends CertificateFacts {
  readonly version: 2;
  /** From 1. A later one takes the place of all before it; its date is later than theirs, or open. */
  readonly edition: number;
  /** SHA-256 (hex) of the certificate whose place it takes, as `certificateHash` computes it. */
  readonly supersedes: string | null;
  /** Why it takes that place. */
  readonly reason: RecertificationReason | null;
}

export type CertificateClaims = CertificateClaimsV1 | CertificateClaimsV2;

const STATEMENT =
  'The data under these keys were made unreadable by destroying the keys: in live systems at liveErasedAt; in every copy of ' +
  'the key vault from before, backups included, by the planned backupsClearedBy, when the last root that could open one is ' +
  'destroyed. A second statement attests it when every mirror has confirmed.';

/** What the first certificate of an executed plan says. `backupsClearedBy` comes from the vault and from nowhere else. */
export const claimsOf = (
  plan: Plan,
  executed: Executed,
  backupsClearedBy: string | null,
  issuedAt: Date,
): CertificateClaimsV2 => ({
  version: 2,
  edition: 1,
  supersedes: null,
  reason: null,
  erasureId: plan.erasureId,
  statement: STATEMENT,
  ground: plan.ground,
  ownerKind: plan.owner.kind,
  destroyed: destroyedCounts(executed.destroyed),
  // In any other order the fingerprints of a category would stand together and follow the order of the scopes.
  fingerprints: shuffled(executed.destroyed.map(({ fingerprint }) => fingerprint)),
  liveErasedAt: executed.liveErasedAt,
  backupsClearedBy,
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

/** What a certificate in the place of `previous` says: the same of everything but the date. */
export const supersedingClaims = (
  previous: string,
  edition: number,
  { backupsClearedBy, reason }: { readonly backupsClearedBy: string | null; readonly reason: RecertificationReason },
  issuedAt: Date,
): CertificateClaimsV2 => ({
  ...payloadOf(previous),
  ...{ version: 2, statement: STATEMENT, edition, supersedes: certificateHash(previous), reason, backupsClearedBy },
  issuedAt: issuedAt.toISOString(),
});

/** What a certificate says, unverified: for one that comes out of our own log. */
const payloadOf = (certificate: string): CertificateClaims =>
  JSON.parse(Buffer.from(certificate.split('.')[1] ?? '', 'base64url').toString()) as CertificateClaims;

/** Names one certificate, signature included: SHA-256 (hex) of its compact form without white space around it. */
export const certificateHash = (certificate: string): string =>
  createHash('sha256').update(certificate.trim()).digest('hex');

/** Signs a certificate: JWS in compact form, Ed25519 (RFC 8037). */
export const signCertificate = (claims: CertificateClaimsV2, keys: SigningKeys): Promise<string> =>
  sign(TYPE, JSON.stringify(claims), keys);

/** Verifies a certificate offline, with the keys of `/.well-known/jwks.json`. Throws when it was not signed by one of them. */
export const verifyCertificate = async (certificate: string, keys: JSONWebKeySet): Promise<CertificateClaims> => {
  const payload = await verify(TYPE, certificate.trim(), keys).catch((error: unknown) => {
    if (error instanceof AnotherKindOfSignature)
      throw new Error('this is signed, but it is no certificate of an erasure');
    throw error;
  });
  const claims = JSON.parse(payload) as CertificateClaims;
  if (claims.version !== 1 && claims.version !== 2) throw new Error('this certificate is of a newer version');
  return claims;
};

/** How many scopes of each category a plan keeps. */
export const keptCounts = (plan: Plan): Readonly<Record<string, number>> =>
  countsOf(plan.summary, (line) => line.action !== 'shred');
