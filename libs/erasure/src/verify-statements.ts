import type { JSONWebKeySet } from 'jose';
import type { AttestationClaims } from './attestation.js';
import { verifyAttestation } from './attestation.js';
import type { CertificateClaims } from './certificate.js';
import { certificateHash, verifyCertificate } from './certificate.js';

/** A statement of an erasure whose signature is good, and what it says. */
export type VerifiedStatement =
  | { readonly kind: 'certificate'; readonly hash: string; readonly claims: CertificateClaims }
  | { readonly kind: 'attestation'; readonly claims: AttestationClaims };

/** Verifies a certificate or an attestation, offline. Throws when it is neither, or was signed by none of the keys. */
export const verifyStatement = async (statement: string, keys: JSONWebKeySet): Promise<VerifiedStatement> =>
  isAttestation(statement)
    ? { kind: 'attestation', claims: await verifyAttestation(statement, keys) }
    : { kind: 'certificate', hash: certificateHash(statement), claims: await verifyCertificate(statement, keys) };

/** What the header calls it; whether that is true is for the signature to say. */
const isAttestation = (statement: string): boolean => {
  try {
    const header = JSON.parse(Buffer.from(statement.trim().split('.')[0] ?? '', 'base64url').toString()) as {
      typ?: string;
    };
    return header.typ === 'makuler-erasure-attestation+jws';
  } catch {
    return false;
  }
};

/**
 * What is wrong with statements taken together, as sentences; empty when nothing is. Certificates of one erasure follow one
 * another by hash, with dates that move only forward, and an attestation belongs to the newest of them.
 */
export const contradictions = (statements: readonly VerifiedStatement[]): readonly string[] => {
  const certificates = statements.filter((statement) => statement.kind === 'certificate');
  const attestations = statements.filter((statement) => statement.kind === 'attestation');
  return [
    ...certificates.flatMap((one) => certificates.flatMap((other) => followingProblem(one, other))),
    ...attestations.flatMap(({ claims }) => {
      const own = certificates.filter((certificate) => certificate.claims.erasureId === claims.erasureId);
      if (own.length === 0) return [];
      if (!own.some(({ hash }) => hash === claims.certificate))
        return [`The attestation of erasure ${claims.erasureId} is about another certificate than the one given.`];
      return own.some(({ claims: later }) => later.version === 2 && later.supersedes === claims.certificate)
        ? [`The attestation of erasure ${claims.erasureId} is about a certificate that a later one took the place of.`]
        : [];
    }),
  ];
};

type VerifiedCertificate = Extract<VerifiedStatement, { kind: 'certificate' }>;

/** Of a certificate and the one that says that it takes its place. */
const followingProblem = ({ hash, claims: before }: VerifiedCertificate, { claims: after }: VerifiedCertificate) => {
  if (after.version !== 2 || after.supersedes !== hash) return [];
  const [from, to] = [before.backupsClearedBy, after.backupsClearedBy];
  const backward = from !== null && to !== null && Date.parse(to) <= Date.parse(from);
  const another = before.erasureId !== after.erasureId || before.liveErasedAt !== after.liveErasedAt;
  return [
    ...(backward ? [`A later certificate of erasure ${after.erasureId} names an earlier date.`] : []),
    ...(another ? [`A later certificate of erasure ${before.erasureId} says something else of it.`] : []),
  ];
};
