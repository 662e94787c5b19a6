import { createHmac, randomBytes } from 'node:crypto';
import type { Clock, IdSource } from '#kernel';
import { ReservedIds } from '#kernel';
import type { Migration, Pool, PoolClient } from '#postgres';
import { inTransaction } from '#postgres';
import type { ClockGuard } from '#retention';

/** Kinds of records that can be imported, as the route names them. */
export const IMPORT_KINDS = ['customers', 'purchases', 'service'] as const;
export type ImportKind = (typeof IMPORT_KINDS)[number];

/**
 * What the control database knows of rows under way. `mark` is an HMAC of the source's key under a random secret, so that
 * nothing of the row is readable. A row whose record can be found by its sealed source key is deleted when its batch is
 * done; one that was past its maximum has no sealed part to be found by, so its mark stays. `import_secret` is to be left out
 * of backups of this database, as `idempotency_secret` is: with it, a mark would confirm a guess about an order number. After
 * a restore such rows may come in once more, as facts that name nobody.
 */
export const IMPORT_MIGRATIONS: readonly Migration[] = [
  {
    id: '001-import',
    up: `
      create table import_secret (only_row boolean primary key default true check (only_row), secret bytea not null);
      create table import_row (
        mark bytea primary key,
        seed bytea,                -- the ids of the row's command; null once it is done for good
        reserved_at timestamptz not null
      );
    `,
  },
];

/** The ids of a row's command follow from its seed and the secret together: a copy of the rows alone gives none away. */
const seedOf = (secret: Buffer, seed: Buffer): Buffer =>
  createHmac('sha256', secret).update('makuler/import/ids/1\n').update(seed).digest();

/** How a row is to be run: under ids that a repeat draws again, or not at all. */
export type RowReservation = { readonly done: true } | { readonly done: false; readonly ids: IdSource };

/** Makes rows repeatable across crashes: the same row draws the same ids until its batch is done. */
export class ImportState {
  #secret: Promise<Buffer> | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly pool: Pool,
    private readonly clock: Clock,
    private readonly guard: Pick<ClockGuard, 'assertConfirmed'>,
  ) {}

  /**
   * Runs a batch while no other of the same source and kind runs anywhere, so that what one made the next one finds. In this
   * process one batch runs at a time: each holds a connection for as long as it works, and those that only waited could
   * otherwise take all of them from the one that needs another.
   */
  exclusively<T>(source: string, kind: ImportKind, work: () => Promise<T>): Promise<T> {
    const mine = this.#last.then(() =>
      inTransaction(this.pool, async (client: PoolClient) => {
        await client.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [`import\n${kind}\n${source}`]);
        return work();
      }),
    );
    this.#last = mine.catch(() => undefined);
    return mine;
  }

  /** Reserves ids for keys, in their order. */
  async reserve(source: string, kind: ImportKind, keys: readonly string[]): Promise<readonly RowReservation[]> {
    const secret = await this.#readSecretOnce();
    const marks = await this.#marks(source, kind, keys);
    const now = this.clock.now();
    await this.pool.query(
      `insert into import_row (mark, seed, reserved_at) select m, s, $3 from unnest($1::bytea[], $2::bytea[]) as n(m, s)
       on conflict do nothing`,
      [marks, marks.map(() => randomBytes(32)), now],
    );
    const { rows } = await this.pool.query<{ mark: Buffer; seed: Buffer | null; reserved_at: Date }>(
      'select mark, seed, reserved_at from import_row where mark = any($1)',
      [marks],
    );
    const found = new Map(rows.map((row) => [row.mark.toString('hex'), row]));
    return marks.map((mark): RowReservation => {
      const row = found.get(mark.toString('hex'))!;
      return row.seed === null
        ? { done: true }
        : { done: false, ids: new ReservedIds(seedOf(secret, row.seed), row.reserved_at.getTime()) };
    });
  }

  /** Settles rows: `findable` ones are forgotten here, because the sealed log finds them; `kept` ones are remembered by their mark alone. */
  async settle(source: string, kind: ImportKind, findable: readonly string[], kept: readonly string[]): Promise<void> {
    await this.pool.query('delete from import_row where mark = any($1) and seed is not null', [
      await this.#marks(source, kind, findable),
    ]);
    await this.pool.query('update import_row set seed = null where mark = any($1)', [
      await this.#marks(source, kind, kept),
    ]);
  }

  /**
   * Ids that were reserved 30 days ago for batches which nobody sent again: their marks go. Throws `clock-implausible`: by a
   * clock that is ahead a batch under way would lose its ids, and its repeat would store it twice.
   */
  async forgetOld(): Promise<void> {
    await this.guard.assertConfirmed();
    const limit = new Date(this.clock.now().getTime() - 30 * 86_400_000);
    await this.pool.query('delete from import_row where seed is not null and reserved_at < $1', [limit]);
  }

  async #marks(source: string, kind: ImportKind, keys: readonly string[]): Promise<Buffer[]> {
    const secret = await this.#readSecretOnce();
    return keys.map((key) =>
      createHmac('sha256', secret)
        .update(JSON.stringify([kind, source, key]))
        .digest(),
    );
  }

  #readSecretOnce(): Promise<Buffer> {
    // A failed reading is not kept: the next batch tries again.
    return (this.#secret ??= this.#readSecret().catch((error: unknown) => {
      this.#secret = undefined;
      throw error;
    }));
  }

  async #readSecret(): Promise<Buffer> {
    await this.pool.query('insert into import_secret (secret) values ($1) on conflict do nothing', [randomBytes(32)]);
    const { rows } = await this.pool.query<{ secret: Buffer }>('select secret from import_secret');
    return rows[0]!.secret;
  }
}
