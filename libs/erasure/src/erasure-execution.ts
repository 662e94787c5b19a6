import { Injectable } from '@nestjs/common';
import type { Draft } from '#events';
import type { ErasureId, OwnerRef } from '#kernel';
import { isMakulerError, MakulerError, newId } from '#kernel';
import { Ledger } from '#ledger';
import { ClockGuard } from '#retention';
import type { ShredReceipt } from '#vault/shredder';
import { Shredder } from '#vault/shredder';
import { keptCounts } from './certificate.js';
import type { ErasureCase, UnderwayCase } from './erasure-case.js';
import { erasureStream, isUnderway, plannedCase } from './erasure-case.js';
import {
  fenceOwner,
  noteDelay,
  recordCertificate,
  recordExecution,
  recordVerification,
  stopErasure,
} from './erasure-decisions.js';
import { ErasurePlanner } from './planner.js';
import { itemsOf } from './plan-items.js';
import { recordItems, recordKeys, recordPieces } from './record-parts.js';
import { Statements } from './statements.js';
import { isGone, readsAsGone } from './verification.js';

/**
 * Executes an erasure, from wherever it stands. Every step is found by folding the owner's stream and asking the vault, and
 * ends with an event; done twice it is done once. So it may be killed at any moment and be run again, by two workers at once
 * too.
 */
@Injectable()
export class ErasureExecution {
  constructor(
    private readonly ledger: Ledger,
    private readonly planner: ErasurePlanner,
    private readonly shredder: Shredder,
    private readonly statements: Statements,
    private readonly guard: ClockGuard,
  ) {}

  /** Runs inside `inContext`. Throws what stopped a step, after noting its code in the case; the job repeats it. */
  async run(owner: OwnerRef, erasureId: ErasureId, signal?: AbortSignal): Promise<void> {
    for (;;) {
      const { state } = await this.ledger.load(plannedCase, erasureStream(owner));
      if (!isUnderway(state) || state.plan.erasureId !== erasureId) return;
      signal?.throwIfAborted();
      try {
        await this.#step(state);
      } catch (error) {
        const code = isMakulerError(error) ? error.code : 'internal';
        // What failed may be the log itself: then the note fails too, and the job's own record has to do.
        await this.#decide(state, (now) => noteDelay(now, state.status, code)).catch(() => undefined);
        throw error;
      }
    }
  }

  #step(state: UnderwayCase): Promise<unknown> {
    switch (state.status) {
      case 'requested':
        return this.#decide(state, (now) => fenceOwner(now, newId()));
      case 'fenced':
        return this.#shredBehindFence(state);
      case 'executed':
        return this.#verify(state);
      case 'verified':
        return this.#certify(state);
    }
  }

  #decide(state: UnderwayCase, decision: (now: ErasureCase) => readonly Draft<any>[]) {
    return this.ledger.decide(plannedCase, erasureStream(state.plan.owner), decision);
  }

  async #shredBehindFence(state: Extract<UnderwayCase, { status: 'fenced' }>): Promise<void> {
    const { orderId } = state;
    // Once the keys are gone the plan can't be computed any more; so whether they are is the first question.
    const receipt = (await this.shredder.receiptOf(orderId)) ?? (await this.#shred(state));
    if (!receipt) return;
    const { destroyed, liveErasedAt } = receipt;
    const parts = await recordKeys(this.ledger, state.plan, destroyed);
    await this.#decide(state, (now) => recordExecution(now, { orderId, destroyed, liveErasedAt }, parts));
  }

  /**
   * Gives no receipt when the plan came out otherwise behind the fence, or when another worker has given up this order
   * since: then nothing is destroyed.
   */
  async #shred({ plan, orderId }: Extract<UnderwayCase, { status: 'fenced' }>): Promise<ShredReceipt | undefined> {
    const { owner, erasureId } = plan;
    const items = await itemsOf(this.ledger, plan);
    if (plan.salt.state !== 'value' || items.state !== 'value')
      throw new Error('the plan can be read no more, and the vault knows nothing of its execution');
    // Only what is still necessary goes on: a note in an open case. What a law retains is finished, and nothing is added to it.
    const except = items.reveal().filter(({ action }) => action === 'defer');
    await this.shredder.fence({ orderId, owner, kind: 'erasure', except });
    // Whoever is given a new order fences under it, and after its event: from here on the vault refuses this one then.
    const { state: present } = await this.ledger.load(plannedCase, erasureStream(owner));
    if (present.status !== 'fenced' || present.orderId !== orderId) {
      await this.shredder.release(owner, orderId);
      return undefined;
    }
    const now = await this.planner.compute(owner, erasureId, plan.salt.reveal());
    if (now.planHash === plan.planHash) {
      await this.guard.assertConfirmed();
      return this.shredder.shred({ orderId, owner, scopeIds: now.toShred, kind: 'erasure' });
    }
    // The fence comes down before the event says so: after a crash in between it goes up again, and the plan is computed anew.
    await this.shredder.release(owner, orderId);
    const parts = await recordItems(this.ledger, plan, now.items);
    await this.ledger.decide(plannedCase, erasureStream(owner), (state) => stopErasure(state, orderId, now, parts));
    return undefined;
  }

  /** Asks vault and log once more, by other ways than the one that destroyed the keys (docs/decisions/0008). */
  async #verify(state: Extract<UnderwayCase, { status: 'executed' }>): Promise<void> {
    const { owner } = state.plan;
    const kept = keptCounts(state.plan);
    if (Object.keys(kept).length === 0) await this.shredder.closeForEver(owner, state.executed.orderId);
    if (!isGone(await this.shredder.scopesOf(owner), kept) || !(await readsAsGone(this.ledger, owner, kept)))
      throw new MakulerError('erasure-not-verified');
    await this.#decide(state, recordVerification);
  }

  async #certify(state: Extract<UnderwayCase, { status: 'verified' }>): Promise<void> {
    const issued = await this.statements.certify(state.plan, state.executed);
    const parts = await recordPieces(this.ledger, state.plan, issued.certificate);
    await this.#decide(state, (now) => recordCertificate(now, issued, parts));
  }
}
