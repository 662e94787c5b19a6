import { isMakulerError, MakulerError } from '#kernel';
import type { PoolClient } from '#postgres';
import { newKey, wipe } from '../../aead.js';
import type { SealReport } from '../../operations-contract.js';
import type { CustodianState, RetiringEpoch } from '../custodian/custodian-state.js';
import { noteCustodian } from '../custodian-number.js';
import { storeWraps, wrapByMirrors } from './epoch-keys.js';
import { noteOpened, noteSealed } from './epoch-table.js';
import { FenceMet, moveBucket, rewrapSome } from './rotation.js';
import type { EpochSurroundings } from './surroundings.js';

interface Standing {
  /** The epoch of the vault's row. */
  readonly current: number;
  readonly dirty: boolean;
  /** Buckets of earlier epochs, or wraps of their keys, are still there. */
  readonly unfinished: boolean;
}

interface Moved {
  rotated: number;
  rewrapped: number;
}

/**
 * Moves the vault from one epoch to the next. Four steps; each is committed (at the custodian or in the database) before
 * the next begins and may be done again, so that after a crash anywhere the vault is in one of the states between them, all
 * of which serve, and `seal` goes on from there:
 *
 * 1. every mirror makes the root of n+1, and the custodian's state names it;
 * 2. one transaction: a fresh epoch key n+1, wrapped by each mirror, and the vault's row says n+1;
 * 3. bucket by bucket: a dirty one gets a fresh key, a clean one is wrapped anew;
 * 4. a query proves that nothing is left in n; the custodian notes when its roots are to be destroyed; its key's wraps go.
 */
export class Sealing {
  #stopped = false;

  constructor(private readonly surroundings: EpochSurroundings) {}

  /** Makes a seal that is under way end soon, between two transactions; the next life of the vault goes on with it. */
  stop(): void {
    this.#stopped = true;
  }

  /** Whether a seal was begun and is not finished. */
  async isUnfinished(): Promise<boolean> {
    const { current, unfinished } = await this.#standing();
    return unfinished || this.#target(current) > current || this.#unsealed(current).length > 0;
  }

  /** Whether there is anything to seal. */
  async isNeeded(): Promise<boolean> {
    const { current, dirty } = await this.#standing();
    return dirty || this.#journaledSince(current) || (await this.isUnfinished());
  }

  /** Not to be called twice at once. Throws `key-damaged` when a bucket can't be moved, after everything else was. */
  async seal(force: boolean): Promise<SealReport> {
    const { current } = await this.#standing();
    const resumes = await this.isUnfinished();
    if (!force && !(await this.isNeeded()))
      return { epoch: current, sealed: false, rotated: 0, rewrapped: 0, destroyAt: undefined };
    // A restored vault goes on where the custodian is: its roots may be of a later epoch than the vault remembers.
    const target = resumes ? this.#target(current) : current + 1;
    if (target > current) await this.#begin(target, current);
    const moved = await this.#moveAll(target);
    const state = await this.#end(target);
    const ended = state.retiring.filter(({ epoch }) => epoch < target).at(-1);
    return { epoch: target, sealed: true, ...moved, destroyAt: ended?.destroyAt };
  }

  async #standing(): Promise<Standing> {
    const { rows } = await this.surroundings.pool.query<Standing>(
      `select epoch as current, exists (select from bucket where dirty) as dirty,
              exists (select from bucket b where b.epoch < vault.epoch) or exists (select from epoch_key k where k.epoch < vault.epoch) as unfinished
       from vault`,
    );
    return rows[0]!;
  }

  /**
   * Whether something was shredded in this epoch by the word of the journal, which a restored database need not remember:
   * copies of the life that was lost can hold it under this epoch's root, so that root must go too.
   */
  #journaledSince(epoch: number): boolean {
    const { pending, shredded, closed } = this.surroundings.custodian.state!;
    return [...pending.flatMap(({ entries }) => entries), ...shredded, ...closed].some((entry) => entry.epoch >= epoch);
  }

  #target(current: number): number {
    return Math.max(current, ...this.surroundings.custodian.state!.epochs);
  }
  /** Epochs before the current one of which a root exists and no date for its destruction. */
  #unsealed(current: number, { epochs, retiring } = this.surroundings.custodian.state!): readonly number[] {
    return epochs.filter((epoch) => epoch < current && !retiring.some((sealed) => sealed.epoch === epoch));
  }

  /** Steps 1 and 2. */
  async #begin(target: number, before: number): Promise<void> {
    const { write, keyring, custodian, clock, installation, token, assertActive, onUnapplied } = this.surroundings;
    this.#assertGoingOn();
    const state = await custodian.createRoot(target);
    const epochKey = newKey();
    let begun = false;
    try {
      const wraps = await wrapByMirrors(custodian, { installation, epoch: target }, epochKey);
      await write(async (client) => {
        // From here until the commit the row is locked: whoever has made a bucket in the old epoch finds, when he comes to
        // write it, that the epoch is another, and makes it anew (EpochMoved). None can slip in behind step 4's query.
        const { rowCount } = await client.query('update vault set epoch = $1 where epoch = $2 and active = $3', [
          target,
          before,
          token,
        ]);
        if (rowCount !== 1) await assertActive(client);
        if (rowCount !== 1) throw new Error('the vault’s epoch is another than its keys');
        // What an overtaken life of a restored database had in this epoch was never in this one.
        await client.query('delete from epoch_key where epoch = $1', [target]);
        await storeWraps(client, target, wraps);
        await noteOpened(client, target, clock.now());
        await noteCustodian(client, state);
        begun = true;
        keyring.beginEpoch(target, epochKey);
      });
    } catch (error) {
      if (begun) {
        keyring.undoEpoch(target, before);
        // The commit may have come through all the same.
        onUnapplied();
      }
      throw error;
    } finally {
      wipe(epochKey);
    }
  }

  /** Step 3. Short transactions, so that nobody waits long for a row; whoever opens takes no lock at all. */
  async #moveAll(target: number): Promise<Moved> {
    const moved: Moved = { rotated: 0, rewrapped: 0 };
    const damaged: string[] = [];
    for (;;) {
      const some = await this.#step((client) => rewrapSome(client, this.surroundings.keyring, damaged));
      damaged.push(...some.damaged);
      moved.rewrapped += some.moved;
      if (some.moved + some.damaged.length === 0) break;
    }
    for (;;) {
      const left = await this.#left(target, damaged);
      if (left.length === 0) break;
      for (const bucketId of left) await this.#moveOne(bucketId, moved, damaged);
    }
    // Everything else is safe by now; the old root must stay until this is settled, or the damage would be for ever.
    if (damaged.length > 0)
      throw new MakulerError('key-damaged', {
        detail: `${damaged.length} of the vault's buckets can't be moved into epoch ${target}: the seal is not finished.`,
      });
    return moved;
  }

  async #moveOne(bucketId: string, moved: Moved, damaged: string[]): Promise<void> {
    try {
      const what = await this.#step((client) => moveBucket(client, this.surroundings.keyring, bucketId));
      if (what) moved[what]++;
    } catch (error) {
      if (isMakulerError(error, 'key-damaged')) damaged.push(bucketId);
      // Somebody was fenced at this moment: it is among those that are left.
      else if (!(error instanceof FenceMet)) throw error;
    }
  }

  async #left(target: number, without: readonly string[]): Promise<readonly string[]> {
    const { rows } = await this.surroundings.pool.query<{ bucket_id: string }>(
      'select bucket_id from bucket where epoch < $1 and bucket_id <> all($2::uuid[]) order by bucket_id limit 1000',
      [target, without],
    );
    return rows.map(({ bucket_id: id }) => id);
  }

  /** Step 4. */
  async #end(target: number): Promise<CustodianState> {
    const { pool, write, keyring, custodian, clock, windowMs, assertActive } = this.surroundings;
    this.#assertGoingOn();
    const sealedAt = clock.now();
    const destroyAt = new Date(sealedAt.getTime() + windowMs);
    const dates = { sealedAt: sealedAt.toISOString(), destroyAt: destroyAt.toISOString(), confirmed: [] };
    await assertNothingBefore(pool, target);
    const state = await custodian.change((now) => {
      const ended = this.#unsealed(target, now).map((epoch): RetiringEpoch => ({ epoch, ...dates }));
      if (ended.length === 0) return undefined;
      return { retiring: [...now.retiring, ...ended].sort((a, b) => a.epoch - b.epoch) };
    });
    await write(async (client) => {
      await client.query('delete from epoch_key where epoch < $1', [target]);
      await noteSealed(client, state);
      await noteCustodian(client, state);
      await assertActive(client);
    });
    keyring.endEpochsBefore(target);
    return state;
  }

  async #step<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
    this.#assertGoingOn();
    const { write, assertActive } = this.surroundings;
    return write(async (client) => {
      const result = await work(client);
      await assertActive(client);
      return result;
    });
  }

  #assertGoingOn(): void {
    if (this.#stopped) throw new MakulerError('vault-unavailable', { detail: "The vault's gate was closed." });
  }
}

/**
 * The proof that no row depends on the roots before `epoch`. It stays true: a bucket never goes back, and one that is made
 * must lie in the epoch of the vault's row (`writeMinted`).
 */
export const assertNothingBefore = async (client: Pick<PoolClient, 'query'>, epoch: number): Promise<void> => {
  const { rows } = await client.query<{ count: string }>(
    'select count(*) as count from (select from bucket where epoch < $1 union all select from vault where epoch < $1)',
    [epoch],
  );
  if (rows[0]?.count !== '0') throw new Error(`${rows[0]?.count} buckets still lie in an epoch before ${epoch}`);
};
