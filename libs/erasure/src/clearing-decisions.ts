import type { Draft } from '#events';
import type { Clearing } from '#vault/operations';
import type { Certified, ErasureCase } from './erasure-case.js';
import type { IssuedCertificate } from './erasure-decisions.js';
import { withParts } from './erasure-decisions.js';
import type { RecertificationReason } from './erasure.events.js';
import { ErasureAttested, ErasureRecertified } from './erasure.events.js';
import { NO_PARTS } from './parts.js';

/** What the vault's answer asks for: another certificate, the attestation, or nothing. */
export type NextStatement =
  | { readonly kind: 'attestation'; readonly clearedAt: string }
  | { readonly kind: 'certificate'; readonly backupsClearedBy: string | null; readonly reason: RecertificationReason };

/** What the hourly destruction of roots, and the confirmation of its mirrors, may take. */
const PATIENCE_MS = 3_600_000;

/** Compares what was promised with what the vault says now. */
export const nextStatement = (promised: Certified, clearing: Clearing, now: Date): NextStatement | undefined => {
  if (promised.attestation !== undefined) return undefined;
  const { plannedFor, clearedAt } = clearing;
  if (clearedAt !== undefined) return { kind: 'attestation', clearedAt };
  const { backupsClearedBy: date } = promised;
  const statement =
    date === null
      ? ({ backupsClearedBy: plannedFor, reason: 'first-date' } as const)
      : Date.parse(plannedFor) > Date.parse(date)
        ? ({ backupsClearedBy: plannedFor, reason: 'seal-late' } as const)
        : now.getTime() - Date.parse(date) > PATIENCE_MS
          ? ({ backupsClearedBy: null, reason: 'mirror-outstanding' } as const)
          : undefined;
  return statement && movesForward(promised, statement.backupsClearedBy)
    ? { kind: 'certificate', ...statement }
    : undefined;
};

/**
 * Whether a promise may be replaced by another one: by a later date, or by none. A date is promised anew only where the
 * first certificate had none; after that "no date" ends with the attestation and with nothing else.
 */
export const movesForward = ({ backupsClearedBy: from, edition }: Certified, to: string | null): boolean => {
  if (from === null) return to !== null && edition === 1;
  return to === null || Date.parse(to) > Date.parse(from);
};

export interface Recertification extends IssuedCertificate {
  readonly epoch: number;
  readonly reason: RecertificationReason;
  /** Of the certificate that it takes the place of: two workers at once replace it once. */
  readonly replaces: number;
}

/** Replaces the certificate. Says nothing when the date would not move forward, and after the attestation. */
export const recordRecertification = (state: ErasureCase, next: Recertification, parts = NO_PARTS): Draft<any>[] => {
  if (state.status !== 'erased' || state.attestation !== undefined || state.edition !== next.replaces) return [];
  if (!movesForward(state, next.backupsClearedBy)) return [];
  const { certificate, backupsClearedBy, epoch, reason } = next;
  const about = { ownerId: state.plan.owner.id, erasureId: state.plan.erasureId };
  return [ErasureRecertified.of({ ...about, ...withParts({ certificate }, parts), backupsClearedBy, epoch, reason })];
};

export interface Attestation {
  readonly attestation: string;
  readonly backupsClearedAt: string;
  /** Edition of the certificate that it is about. */
  readonly about: number;
}

/** Records the second statement, once, about the newest certificate. */
export const recordAttestation = (state: ErasureCase, { attestation, backupsClearedAt, about }: Attestation) =>
  state.status === 'erased' && state.attestation === undefined && state.edition === about
    ? [
        ErasureAttested.of({
          ...{ ownerId: state.plan.owner.id, erasureId: state.plan.erasureId },
          ...{ attestation, backupsClearedAt },
        }),
      ]
    : [];
