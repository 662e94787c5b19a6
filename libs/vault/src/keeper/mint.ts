import type { Pool, PoolClient } from '#postgres';
import { isSerializationFailure, isUniqueViolation } from '#postgres';
import type { ScopeRequest } from '../vault.js';
import type { Ask, Write } from './active.js';
import { BUCKET_OWNERS, BUCKET_SCOPES, ownerKey } from './buckets.js';
import { EpochMoved, sealHasCommitted } from './epochs/epoch-moved.js';
import type { BucketKeyring } from './keyring.js';
import type { CountedBucket } from './mint-write.js';
import type { MintOutcome, MintSurroundings } from './minting.js';
import { Minting, Refuted } from './minting.js';

/**
 * What became of a group, and the count of keys ever made after its own: undefined when it made none. A number that two
 * groups had in common would stand in the metadata of two streams, and join them after the keys are gone.
 */
export type CountedOutcome = MintOutcome & { readonly mintSequence: number | undefined };

export interface MintBatch {
  /** One for each group, in order: a group gets all of its keys or none is made. */
  readonly outcomes: readonly CountedOutcome[];
}

const mayBeDecidedAnew = (error: unknown): boolean =>
  isUniqueViolation(error) || isSerializationFailure(error) || error instanceof EpochMoved || error instanceof Refuted;

type Groups = readonly (readonly ScopeRequest[])[];

interface Made {
  readonly minting: Minting;
  readonly outcomes: readonly MintOutcome[];
  /** Keys ever made, these included. */
  readonly total: number;
}

/**
 * Makes and leases keys to seal with. Requests that arrive while a transaction commits form the next one: one commit for
 * all of them, and never two transactions that could make one scope twice.
 */
export class Mint {
  readonly #waiting: { groups: Groups; settle: PromiseWithResolvers<MintBatch> }[] = [];
  #working = false;
  /** The bucket that new owners go into, as the last batch left it. */
  #filling: CountedBucket | undefined;
  /** Owners asked for before: they have a row. Others may have one all the same, which is found out. */
  #met = new Set<string>();
  /** Whether the last who were met for the first time had no row. After a restart most have one: then a look before is cheaper. */
  #meetsNew = false;

  constructor(
    private readonly database: { readonly pool: Pool; readonly write: Write; readonly ask: Ask },
    private readonly keyring: BucketKeyring,
    private readonly surroundings: MintSurroundings,
  ) {}

  mint(groups: Groups): Promise<MintBatch> {
    const settle = Promise.withResolvers<MintBatch>();
    this.#waiting.push({ groups, settle });
    if (!this.#working) void this.#work();
    return settle.promise;
  }

  async #work(): Promise<void> {
    this.#working = true;
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, BATCH);
      try {
        const { outcomes } = await this.#commitAtLast(batch.flatMap(({ groups }) => groups));
        let next = 0;
        for (const { groups, settle } of batch)
          settle.resolve({ outcomes: outcomes.slice(next, (next += groups.length)) });
      } catch (error) {
        for (const { settle } of batch) settle.reject(error);
      }
    }
    this.#working = false;
  }

  /**
   * Owners that are met for the first time need no look before when those before them were new: that they are too is assumed.
   * When it is not so, or a fence has made an owner known while the batch was decided, it is decided anew, and then meets what is
   * there. A seal may have begun another epoch, or be about to: its commit is waited for, and a bucket is made anew.
   */
  async #commitAtLast(groups: Groups): Promise<MintBatch> {
    const isMet = groups.some((group) => group.some(({ owner }) => this.#met.has(ownerKey(owner))));
    let assumed = isMet || !this.#meetsNew ? undefined : this.#filling;
    for (let tries = 1; ; tries++, assumed = undefined)
      try {
        return await this.#commit(groups, assumed);
      } catch (error) {
        if (!mayBeDecidedAnew(error) || tries === TRIES) throw error;
        if (error instanceof EpochMoved) await sealHasCommitted(this.database.pool);
      }
  }

  /** `assumed`: nobody is known, and this is the bucket that is being filled. */
  async #commit(groups: Groups, assumed: CountedBucket | undefined): Promise<MintBatch> {
    // A seal that has ended since has moved the bucket, and wiped the key that would open what is remembered of it.
    const isAssumed = assumed !== undefined && this.keyring.hasKeyFor(assumed);
    const { minting, outcomes, total } = await (isAssumed ? this.#assuming(groups, assumed) : this.#looking(groups));
    this.surroundings.committed(total);
    // Only now: a bucket of a transaction that was rolled back does not exist.
    this.#filling = minting.fillingBucket;
    this.#meet(groups, minting.knownOwners);
    return { outcomes: counted(outcomes, total) };
  }

  /** One statement, which is a transaction by itself: whatever it takes for granted is a condition of its writing. */
  #assuming(groups: Groups, filling: CountedBucket): Promise<Made> {
    const { pool, ask } = this.database;
    const minting = new Minting(pool, ask, this.keyring, filling.bucket_id, this.surroundings);
    minting.assume(filling);
    return this.#make(minting, groups);
  }

  #looking(groups: Groups): Promise<Made> {
    const { write, ask } = this.database;
    return write(async (client) => {
      const bucketId = this.#filling?.bucket_id ?? (await fillingBucket(client));
      const own: Ask = (statement) => ask(statement, client);
      const minting = new Minting(client, own, this.keyring, bucketId, this.surroundings);
      await minting.lock(groups.flat());
      return this.#make(minting, groups);
    });
  }

  async #make(minting: Minting, groups: Groups): Promise<Made> {
    const outcomes = groups.map((group) => minting.group(group));
    return { minting, outcomes, total: this.surroundings.counted(await minting.write()) };
  }

  #meet(groups: Groups, known: ReadonlySet<string>): void {
    const first = groups.flat().flatMap(({ owner }) => (this.#met.has(ownerKey(owner)) ? [] : [ownerKey(owner)]));
    if (first.length > 0) this.#meetsNew = first.every((owner) => !known.has(owner));
    if (this.#met.size > REMEMBERED_OWNERS) this.#met = new Set();
    for (const owner of first) this.#met.add(owner);
  }
}

/** Deals out the numbers up to `total` in the order of the groups. */
const counted = (outcomes: readonly MintOutcome[], total: number): readonly CountedOutcome[] => {
  const madeBy = (outcome: MintOutcome) => ('made' in outcome ? outcome.made : 0);
  let sequence = total - outcomes.reduce((sum, outcome) => sum + madeBy(outcome), 0);
  return outcomes.map((outcome) => {
    const made = madeBy(outcome);
    sequence += made;
    return { ...outcome, mintSequence: made > 0 ? sequence : undefined };
  });
};

/** One that is refuted, one that a seal cuts off, one behind it. */
const TRIES = 3;

/** Calls that share a transaction at most. */
const BATCH = 256;

const REMEMBERED_OWNERS = 100_000;

const fillingBucket = async (client: PoolClient): Promise<string | undefined> => {
  const { rows } = await client.query<{ bucket_id: string }>(
    'select bucket_id from bucket where scopes < $1 and owners < $2 order by scopes desc limit 1',
    [BUCKET_SCOPES, BUCKET_OWNERS],
  );
  return rows[0]?.bucket_id;
};
