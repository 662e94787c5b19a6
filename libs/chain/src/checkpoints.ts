import { Injectable } from '@nestjs/common';
import type { ActorId } from '#kernel';
import { Clock, inContext, isMakulerError, MakulerError, newId, systemContext } from '#kernel';
import type { StoredEvent } from '#ledger';
import { EventStore, Ledger, RevisionConflict } from '#ledger';
import { ClockTrusted } from '#retention';
import { SigningKeys } from '#signing';
import type { VaultStanding } from '#vault/operations';
import { CheckpointWitness, witnessedOf } from '#vault/operations';
import { LogCheckpointed } from './chain.events.js';
import type { Checkpoint } from './checkpoint.js';
import { endsWith, isGenuine, signCheckpoint, VAULT_LEDGER } from './checkpoint.js';
import type { Folded, FoldFrom } from './fold.js';
import { fold } from './fold.js';
import { GENESIS } from './link.js';
import type { LastCheckpoint } from './logged-checkpoints.js';
import { isCheckpoint, lastCheckpoint } from './logged-checkpoints.js';

/** A checkpoint covers so many events at most: what a kill can undo, and what `verify-log` can tell apart. */
const STRETCH = 10_000;
const ATTEMPTS = 8;

type IsWorth = (event: StoredEvent) => boolean;
/** What a checkpoint is made of: with an event that is worth it, and so many events at least. */
interface Wanted {
  readonly isWorth: IsWorth;
  readonly atLeast: number;
}
const anything: IsWorth = (event) => !isCheckpoint(event);
/** Checkpoints and heartbeats alone would make an idle log grow by one more event each hour. */
const worthByItself: IsWorth = (event) => !isCheckpoint(event) && event.type !== ClockTrusted.type;

/**
 * Makes checkpoints: folds on from the last one, signs, appends, and hands it to the custodian. It may be killed anywhere and
 * be run again, and by two workers at once: the append is for the revision at which the last checkpoint was read.
 */
@Injectable()
export class Checkpoints {
  constructor(
    private readonly store: EventStore,
    private readonly ledger: Ledger,
    private readonly witness: CheckpointWitness,
    private readonly keys: SigningKeys,
    private readonly clock: Clock,
  ) {}

  /**
   * Covers everything that stands in the log when this is called: before a seal and before a backup. Gives the last
   * checkpoint, which may be one from before when there is nothing to add; `undefined` for an empty log. Throws
   * `log-altered`, `checkpoint-stale`, `vault-unavailable`, `store-unavailable`, `database-unavailable`.
   */
  now(): Promise<Checkpoint | undefined> {
    return this.#catchUp({ isWorth: anything, atLeast: 1 });
  }

  /** The hourly one: like `now`, but adds nothing while the log has only grown by checkpoints and heartbeats. */
  hourly(signal: AbortSignal): Promise<Checkpoint | undefined> {
    return this.#catchUp({ isWorth: worthByItself, atLeast: 1 }, signal);
  }

  /**
   * Between two hourly ones, as far as a checkpoint covers at most: a start of the vault reads back to the second-last one, and
   * after an import that would be long. A log that was moved is left to the hourly one, which reads all of it.
   */
  async wholeStretches(signal: AbortSignal): Promise<Checkpoint | undefined> {
    const { checkpoint: last } = await lastCheckpoint(this.store);
    const event = last && (await this.store.eventAt(BigInt(last.position)));
    if (last && !(event && endsWith(last, event))) return last;
    return this.#catchUp({ isWorth: anything, atLeast: STRETCH }, signal);
  }

  async #catchUp(wanted: Wanted, signal?: AbortSignal): Promise<Checkpoint | undefined> {
    for (let attempt = 1; ;) {
      signal?.throwIfAborted();
      try {
        const { checkpoint, isMore } = await this.#step(wanted);
        if (!isMore) return checkpoint;
        attempt = 1;
      } catch (error) {
        // Somebody else wrote to the stream, perhaps the same checkpoint: looked at anew, from the beginning.
        if (!(error instanceof RevisionConflict) || attempt++ >= ATTEMPTS) throw error;
      }
    }
  }

  /** One checkpoint further. */
  async #step(wanted: Wanted): Promise<{ checkpoint: Checkpoint | undefined; isMore: boolean }> {
    // In this order: what the vault says is read after the checkpoint before it, and before the one that is appended at this
    // revision, so that events before the last one were minted with a count that the new one covers.
    const { revision, checkpoint: last } = await lastCheckpoint(this.store);
    const standing = await this.witness.standing();
    if (!standing.serving) throw new MakulerError('vault-unavailable', { detail: 'The vault’s gate is closed.' });
    await this.#assertOurs({ revision, checkpoint: last }, standing);
    const { end, isMore } = await this.#stretch(await this.#resume(last), wanted);
    if (!end) return { checkpoint: last, isMore };
    const checkpoint = await this.#sign(end, standing);
    const appended = await inContext(systemContext(newId<ActorId>()), () =>
      this.ledger.append({
        stream: VAULT_LEDGER,
        expected: revision ?? 'no-stream',
        drafts: [LogCheckpointed.of(checkpoint)],
      }),
    );
    await this.#handOver(checkpoint, appended.revision);
    return { checkpoint, isMore };
  }

  /** Nothing is built on a checkpoint that is not ours, and none on a log that the custodian has seen longer. */
  async #assertOurs({ revision, checkpoint: last }: LastCheckpoint, standing: VaultStanding): Promise<void> {
    if (!last) {
      if (standing.checkpoint) throw await this.#stale(revision);
      return;
    }
    if (last.installation !== standing.installation || !(await isGenuine(last, await this.keys.published())))
      throw new MakulerError('log-altered', { detail: 'The last checkpoint in the log was not signed here.' });
    // A crash between append and witness is made good here; a longer or another log is refused here.
    await this.#handOver(last, revision);
  }

  /** `revision`: of the stream, when this was the last checkpoint in it. */
  async #handOver(checkpoint: Checkpoint, revision: bigint | undefined): Promise<void> {
    try {
      await this.witness.witness(witnessedOf(checkpoint));
    } catch (error) {
      throw isMakulerError(error, 'checkpoint-stale') ? await this.#stale(revision) : error;
    }
  }

  /** The custodian has seen more than this process: another worker has just gone on, or else the log is not what it was. */
  async #stale(revision: bigint | undefined): Promise<MakulerError> {
    const isOvertaken = (await lastCheckpoint(this.store)).revision !== revision;
    return isOvertaken ? new RevisionConflict() : new MakulerError('checkpoint-stale');
  }

  async #resume(last: Checkpoint | undefined): Promise<FoldFrom> {
    if (!last) return { point: GENESIS };
    const after = BigInt(last.position);
    const event = await this.store.eventAt(after);
    if (event && endsWith(last, event)) return { point: last, after };
    // The log was moved to another server, or altered: the whole of it tells which.
    for await (const batch of fold(this.store)) {
      const found = batch.find(({ point }) => point.sequence === last.sequence);
      if (!found) continue;
      if (found.point.link !== last.link) break;
      return { point: found.point, after: found.event.position };
    }
    throw new MakulerError('log-altered');
  }

  async #stretch(from: FoldFrom, { isWorth, atLeast }: Wanted): Promise<{ end: Folded | undefined; isMore: boolean }> {
    let end: Folded | undefined;
    let isWorthIt = false;
    for await (const batch of fold(this.store, from)) {
      isWorthIt ||= batch.some(({ event }) => isWorth(event));
      end = batch.at(-1);
      if (isWorthIt && end!.point.sequence - from.point.sequence >= STRETCH) return { end, isMore: true };
    }
    const length = end ? end.point.sequence - from.point.sequence : 0;
    return { end: isWorthIt && length >= atLeast ? end : undefined, isMore: false };
  }

  #sign({ event, before, point }: Folded, standing: VaultStanding): Promise<Checkpoint> {
    const { installation, incarnation, mintSequence, custodianNumber, epoch } = standing;
    return signCheckpoint(
      {
        ...point,
        previousLink: before.link,
        position: String(event.position),
        at: this.clock.now().toISOString(),
        ...{ installation, incarnation, mintSequence, custodianNumber, epoch },
      },
      this.keys,
    );
  }
}
