import { createHash } from 'node:crypto';
import type { Clock, ScopeId } from '#kernel';
import { MakulerError } from '#kernel';
import type { Pool } from '#postgres';
import type { Doubt, LossReport } from '../recovery-contract.js';
import type { Write } from './active.js';
import type { CustodianState } from './custodian/custodian-state.js';
import { survivingEpochs } from './custodian/custodian-state.js';
import type { CustodianMirrors } from './custodian/mirrors.js';
import type { Refused } from './gate.js';
import type { GateFacts } from './gate-judgement.js';
import type { LogWitness } from './log-witness.js';
import { assertNobodyReturns } from './older-custodian.js';

/** What is lost if nothing better turns up. */
export interface Losses {
  readonly report: LossReport;
  readonly scopeIds: readonly ScopeId[];
}

/** A vault behind its closed gate: everything was read, and this process may write. */
export interface Closed {
  /** For reading. */
  readonly pool: Pool;
  readonly custodian: CustodianMirrors;
  readonly clock: Clock;
  readonly leaseMs: number;
  /** The right to write. */
  readonly token: string;
  readonly write: Write;
  readonly witness: LogWitness;
  readonly facts: GateFacts;
  /** Why the gate is closed; `undefined` when everything fits by now. */
  readonly refused: Refused | undefined;
}

/**
 * Finds every key that the log names and that is neither here nor gone on purpose: without a row, or under an epoch of which
 * no root survives. Reads the whole log in bounded batches and changes nothing. What the journal or a tombstone knows as
 * shredded is no loss: it was destroyed, and must never read as anything else. Throws `nothing-lost` when nothing may be
 * accepted.
 */
export const assess = async (closed: Closed): Promise<Losses> => {
  const { pool, custodian, witness, refused } = closed;
  if (!refused?.acceptable) throw new MakulerError('nothing-lost');
  if (refused.doubt === 'older-custodian') await assertNobodyReturns(closed);
  const shredded = journaled(custodian.state);
  const roots = custodian.state ? survivingEpochs(custodian.state) : [];
  const lost = new Map<ScopeId, string>();
  for await (const batch of witness.sealedScopes()) {
    const unknown = batch.filter(({ scopeId }) => !lost.has(scopeId) && !shredded.has(scopeId));
    const found = await statesOf(pool, [...new Set(unknown.map(({ scopeId }) => scopeId))]);
    for (const { scopeId, stream } of unknown) if (isLost(found.get(scopeId), roots)) lost.set(scopeId, stream);
  }
  return { scopeIds: [...lost.keys()], report: reportOf(lost, refused) };
};

const journaled = (state: CustodianState | undefined): ReadonlySet<ScopeId> =>
  new Set([
    ...(state?.shredded ?? []).map(({ scopeId }) => scopeId),
    ...(state?.pending ?? []).flatMap(({ entries }) => entries.map(({ scopeId }) => scopeId)),
  ]);

interface Found {
  readonly state: 'live' | 'expired' | 'erased' | 'lost';
  readonly epoch: number | null;
}

const statesOf = async (pool: Pool, scopeIds: readonly ScopeId[]): Promise<ReadonlyMap<ScopeId, Found>> => {
  const { rows } = await pool.query<Found & { scope_id: ScopeId }>(
    `select scope_id, state, epoch from scope left join bucket using (bucket_id) where scope_id = any($1::uuid[])`,
    [scopeIds],
  );
  return new Map(rows.map(({ scope_id, ...found }) => [scope_id, found]));
};

const isLost = (found: Found | undefined, roots: readonly number[]): boolean =>
  !found || found.state === 'lost' || (found.state === 'live' && !roots.includes(found.epoch!));

const reportOf = (lost: ReadonlyMap<ScopeId, string>, { missing, doubt }: Refused): LossReport => {
  const scopes: Record<string, number> = {};
  for (const stream of lost.values()) scopes[stream] = (scopes[stream] ?? 0) + 1;
  return { hash: hashOf([...lost.keys()], missing?.to, doubt), scopes, missingEvents: missing, doubt };
};

/**
 * Of exactly what is lost. The first missing event is not in it: the log grows while two persons look at it, and what they
 * accept stays the same. What they could not know before is in it: a log that has outgrown what is missing in it is another.
 */
const hashOf = (scopeIds: readonly ScopeId[], lastMissing: number | undefined, doubt: Doubt | undefined): string => {
  const hash = createHash('sha256').update(`makuler/losses/1\n${lastMissing ?? ''}\n${doubt ? `${doubt}\n` : ''}`);
  for (const scopeId of [...scopeIds].sort()) hash.update(`${scopeId}\n`);
  return hash.digest('hex');
};

/** Throws `plan-changed` when something else is lost by now than what was agreed to. */
export const assertAgreed = ({ report }: Losses, hash: string): void => {
  if (report.hash !== hash)
    throw new MakulerError('plan-changed', {
      detail: 'Something else is lost by now than what was agreed to.',
      facts: { hash: report.hash, scopes: report.scopes, missingEvents: report.missingEvents, doubt: report.doubt },
    });
};
