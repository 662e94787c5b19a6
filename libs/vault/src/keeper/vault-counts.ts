import type { Clock } from '#kernel';
import type { Pool } from '#postgres';
import type { VaultStatus } from './status.js';

type Keys = VaultStatus['keys'];
type Counts = Pick<VaultStatus, 'incarnation' | 'mintSequence' | 'epoch' | 'keys' | 'buckets' | 'dirtyBuckets'>;

const NONE: Keys = { live: 0, expired: 0, erased: 0, lost: 0 };

/** So many are counted anew whenever somebody asks. */
const FEW = 20_000;
/** Of more than that: counting takes at most one part in so many of the time. */
const SELDOM = 50;
/** Who asks gets an answer within this time: readiness is asked of a million keys every few seconds, and has two seconds. */
const PATIENCE_MS = 300;

/**
 * What the database says of itself. The keys are counted by reading all of them, so in a large vault that is done seldom, by
 * one query at a time, and nobody waits for it: until then the counts of the last time are given, before the first zeros.
 */
export class VaultCounts {
  #keys = NONE;
  #counting: Promise<void> | undefined;
  #total = 0;
  #tookMs = 0;
  #doneAtMs = -Infinity;

  constructor(
    private readonly pool: Pool,
    private readonly clock: Clock,
  ) {}

  /** Zeros of a database that is empty or away: behind a closed gate the rest of the status matters most. */
  async now(): Promise<Counts> {
    const row = await this.#row().catch(() => undefined);
    if (!row) return { incarnation: undefined, mintSequence: 0, epoch: 0, buckets: 0, dirtyBuckets: 0, keys: NONE };
    await this.#recount();
    return { ...row, keys: this.#keys };
  }

  async #row(): Promise<Omit<Counts, 'keys'> | undefined> {
    const { rows } = await this.pool.query<
      Record<'mint' | 'buckets' | 'dirty', string> & { incarnation: string; epoch: number }
    >(
      `select incarnation, mint_sequence as mint, epoch, (select count(*) from bucket) as buckets,
              (select count(*) from bucket where dirty) as dirty from vault`,
    );
    return rows.map(({ incarnation, epoch, mint, buckets, dirty }) => ({
      ...{ incarnation, epoch, mintSequence: Number(mint) },
      ...{ buckets: Number(buckets), dirtyBuckets: Number(dirty) },
    }))[0];
  }

  /** Resolves when the keys are counted, or after a short while. */
  async #recount(): Promise<void> {
    const isDue = this.#total <= FEW || this.clock.monotonicMs() - this.#doneAtMs >= this.#tookMs * SELDOM;
    if (isDue) this.#counting ??= this.#count().finally(() => (this.#counting = undefined));
    if (!this.#counting) return;
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<void>((resolve) => (timer = setTimeout(resolve, PATIENCE_MS)));
    await Promise.race([this.#counting.catch(() => undefined), patience]).finally(() => clearTimeout(timer));
  }

  async #count(): Promise<void> {
    const startedAtMs = this.clock.monotonicMs();
    const { rows } = await this.pool.query<{ state: keyof Keys; count: string }>(
      'select state, count(*) as count from scope group by state',
    );
    this.#keys = rows.reduce((keys, { state, count }) => ({ ...keys, [state]: Number(count) }), NONE);
    this.#total = Object.values(this.#keys).reduce((sum, count) => sum + count, 0);
    this.#doneAtMs = this.clock.monotonicMs();
    this.#tookMs = this.#doneAtMs - startedAtMs;
  }
}
