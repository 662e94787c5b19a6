import { Injectable } from '@nestjs/common';
import type { Draft } from '#events';
import type { OwnerRef } from '#kernel';
import { Clock, isMakulerError, isOutage } from '#kernel';
import { Ledger } from '#ledger';
import { ClockGuard } from '#retention';
import { nextStatement, recordAttestation, recordRecertification } from './clearing-decisions.js';
import { ErasureBoard, ownerOf } from './erasure-board.js';
import type { ErasureCase } from './erasure-case.js';
import { erasureCase, erasureStream } from './erasure-case.js';
import { recordPieces } from './record-parts.js';
import { Statements } from './statements.js';

/** What a round came to. */
export interface FollowedUp {
  readonly recertified: number;
  readonly attested: number;
}

/** Follows certified erasures until their backups are cleared: the date that was promised, or a new certificate; then the attestation. */
@Injectable()
export class ClearingFollowUp {
  constructor(
    private readonly ledger: Ledger,
    private readonly board: ErasureBoard,
    private readonly statements: Statements,
    private readonly guard: ClockGuard,
    private readonly clock: Clock,
  ) {}

  /** Runs inside `inContext`. What fails of one erasure is thrown after all others were looked after. */
  async run(signal?: AbortSignal): Promise<FollowedUp> {
    // By a clock that jumped ahead every date would have passed, and every certificate would be replaced for nothing.
    await this.guard.assertConfirmed();
    const counts = { recertified: 0, attested: 0 };
    const failures: unknown[] = [];
    for (const row of await this.board.awaitingAttestation()) {
      signal?.throwIfAborted();
      try {
        const done = await this.followUp(ownerOf(row));
        if (done !== undefined) counts[done]++;
      } catch (error) {
        if (isOutage(error) || isMakulerError(error, 'clock-implausible')) throw error;
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
    return counts;
  }

  /** One erasure. Says what was written; nothing when all is as promised, or when another worker was faster. */
  async followUp(owner: OwnerRef): Promise<keyof FollowedUp | undefined> {
    const { state } = await this.ledger.load(erasureCase, erasureStream(owner));
    if (state.status !== 'erased') return undefined;
    const clearing = await this.statements.clearing(state.executed, state);
    const next = clearing && nextStatement(state, clearing, this.clock.now());
    if (!next) return undefined;
    if (next.kind === 'attestation') {
      const attestation = await this.statements.attest(state.plan, state, clearing, next.clearedAt);
      const statement = { attestation, backupsClearedAt: next.clearedAt, about: state.edition };
      return this.#write(owner, 'attested', (now) => recordAttestation(now, statement));
    }
    const { backupsClearedBy, reason } = next;
    const certificate = await this.statements.recertify(state, next);
    const statement = { certificate, backupsClearedBy, reason, epoch: clearing.epoch, replaces: state.edition };
    const parts = await recordPieces(this.ledger, state.plan, certificate);
    return this.#write(owner, 'recertified', (now) => recordRecertification(now, statement, parts));
  }

  async #write(
    owner: OwnerRef,
    what: keyof FollowedUp,
    decision: (state: ErasureCase) => readonly Draft<any>[],
  ): Promise<keyof FollowedUp | undefined> {
    const { written } = await this.ledger.decide(erasureCase, erasureStream(owner), decision);
    return written > 0 ? what : undefined;
  }
}
