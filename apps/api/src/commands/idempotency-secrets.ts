import type { KeyObject } from 'node:crypto';
import { createSecretKey, randomBytes } from 'node:crypto';
import type { Clock } from '#kernel';
import type { Pool } from '#postgres';
import type { ClockGuard } from '#retention';

const DAY_MS = 86_400_000;
const WEEK_MS = 7 * DAY_MS;
/** A repeat is recognised for at least 23 and at most 30 days; then the secret is gone, and the records with it. */
export const SECRET_LIFE_MS = 30 * DAY_MS;

export interface WeekSecret {
  readonly week: number;
  /** Not its bytes: for Node would make a key of them each time. */
  readonly secret: KeyObject;
}

/** The secrets under which commands are remembered, one for each week, newest first. */
export class IdempotencySecrets {
  #known: readonly (WeekSecret & { readonly madeAtMs: number })[] = [];

  constructor(
    private readonly pool: Pool,
    private readonly clock: Clock,
    private readonly guard: Pick<ClockGuard, 'assertConfirmed'>,
  ) {}

  /**
   * This week's secret, made on first use; and all that a command may be recorded under: those of the weeks before that
   * still live, and next week's, because another process whose clock is ahead may use that already.
   */
  async live(): Promise<{ readonly current: WeekSecret; readonly all: readonly WeekSecret[] }> {
    const now = this.clock.now().getTime();
    const week = Math.floor(now / WEEK_MS);
    if (this.#known[0]?.week !== week + 1) await this.#load(week);
    const all = this.#known.filter(({ madeAtMs }) => now - madeAtMs < SECRET_LIFE_MS);
    return { current: all.find((secret) => secret.week === week)!, all };
  }

  /**
   * Destroys secrets of 30 days and more, with every record made under them. Returns how many secrets. Throws
   * `clock-implausible`: by a clock that is ahead all of them are old, and every repeat of a command would run anew.
   */
  async destroyOld(): Promise<number> {
    await this.guard.assertConfirmed();
    const before = new Date(this.clock.now().getTime() - SECRET_LIFE_MS);
    this.#known = this.#known.filter(({ madeAtMs }) => madeAtMs > before.getTime());
    const { rowCount } = await this.pool.query('delete from idempotency_secret where made_at <= $1', [before]);
    return rowCount ?? 0;
  }

  async #load(week: number): Promise<void> {
    for (const made of [week, week + 1])
      await this.pool.query(
        'insert into idempotency_secret (week, secret, made_at) values ($1, $2, $3) on conflict do nothing',
        // Dated from the week's beginning, so that every process and every clock agree on when its secret ends.
        [made, randomBytes(32), new Date(made * WEEK_MS)],
      );
    const { rows } = await this.pool.query<{ week: number; secret: Buffer; made_at: Date }>(
      'select week, secret, made_at from idempotency_secret where week <= $1 order by week desc',
      [week + 1],
    );
    this.#known = rows.map((row) => ({
      ...{ week: row.week, secret: createSecretKey(row.secret) },
      madeAtMs: row.made_at.getTime(),
    }));
  }
}
