import type { PoolClient } from '#postgres';
import { isUniqueViolation } from '#postgres';
import type { ScopeRequest } from '../vault.js';
import type { Write } from './active.js';
import { BUCKET_OWNERS, BUCKET_SCOPES } from './buckets.js';
import { EpochMoved } from './epochs/epoch-moved.js';
import type { BucketKeyring } from './keyring.js';
import type { MintOutcome, MintSurroundings } from './minting.js';
import { Minting } from './minting.js';

/**
 * What became of a group, and the count of keys ever made after its own: undefined when it made none. A number that two
 * groups had in common would stand in the metadata of two streams, and join them after the keys are gone.
 */
export type CountedOutcome = MintOutcome & { readonly mintSequence: number | undefined };

export interface MintBatch {
  /** One for each group, in order: a group gets all of its keys or none is made. */
  readonly outcomes: readonly CountedOutcome[];
}

type Groups = readonly (readonly ScopeRequest[])[];

/**
 * Makes and leases keys to seal with. Requests that arrive while a transaction commits form the next one: one commit for
 * all of them, and never two transactions that could make one scope twice.
 */
export class Mint {
  readonly #waiting: { groups: Groups; settle: PromiseWithResolvers<MintBatch> }[] = [];
  #working = false;
  #filling: string | undefined;

  constructor(
    private readonly write: Write,
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
        const { outcomes } = await this.#commitOnceMore(batch.flatMap(({ groups }) => groups));
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
   * A fence may have made an owner known while the batch was decided: it is decided anew, and then meets the fence. A seal may
   * have begun another epoch: a bucket is made anew, in that one.
   */
  async #commitOnceMore(groups: Groups): Promise<MintBatch> {
    try {
      return await this.#commit(groups);
    } catch (error) {
      if (!isUniqueViolation(error) && !(error instanceof EpochMoved)) throw error;
      return this.#commit(groups);
    }
  }

  async #commit(groups: Groups): Promise<MintBatch> {
    let filling: string | undefined;
    const { batch, total } = await this.write(async (client) => {
      this.#filling ??= await fillingBucket(client);
      const minting = new Minting(client, this.keyring, this.#filling, this.surroundings);
      await minting.lock(groups.flat());
      const outcomes = groups.map((group) => minting.group(group));
      const total = this.surroundings.counted(await minting.write());
      filling = minting.fillingBucket;
      return { batch: { outcomes: counted(outcomes, total) }, total };
    });
    this.surroundings.committed(total);
    // Only now: a bucket of a transaction that was rolled back does not exist.
    this.#filling = filling;
    return batch;
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

/** Calls that share a transaction at most. */
const BATCH = 256;

const fillingBucket = async (client: PoolClient): Promise<string | undefined> => {
  const { rows } = await client.query<{ bucket_id: string }>(
    'select bucket_id from bucket where scopes < $1 and owners < $2 order by scopes desc limit 1',
    [BUCKET_SCOPES, BUCKET_OWNERS],
  );
  return rows[0]?.bucket_id;
};
