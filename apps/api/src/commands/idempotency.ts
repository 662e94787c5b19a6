import { createHash, createHmac, randomBytes } from 'node:crypto';
import type { ActorId, Clock } from '#kernel';
import type { ReservedIds } from '#kernel';
import { MakulerError } from '#kernel';
import type { Pool } from '#postgres';
import { inOneExchange, inTransaction } from '#postgres';
import type { IdsAndCodes } from '../http/answers.js';
import type { IdempotencySecrets, WeekSecret } from './idempotency-secrets.js';
import { idsOf, openOutcome, sealOutcome } from './sealed-outcome.js';

/** What identifies a command that was sent: who sent it, where to, under which key, with which body. */
export interface SentCommand {
  readonly actor: ActorId;
  /** Method and path as sent. */
  readonly route: string;
  readonly key: string;
  readonly body: unknown;
}

/** What is remembered of an accepted command: JSON of ids and codes. */
export type Outcome = { readonly [name: string]: IdsAndCodes };

/** The record of a command under way, with the week's secret that it stands under. */
export interface HeldRecord {
  readonly id: Buffer;
  readonly secret: WeekSecret;
}

export type Reservation =
  | { readonly state: 'run'; readonly record: HeldRecord; readonly ids: ReservedIds }
  | { readonly state: 'finished'; readonly outcome: Outcome };

/**
 * How long a running command keeps others with its key away. Short, because a crashed process leaves it behind; and no more
 * than politeness: two runs under one seed draw the same event ids, and the event store takes those once.
 */
const HOLD_MS = 5_000;

/**
 * Makes sending a command again safe (P6). Before the command runs, a record reserves 32 random bytes; all ids of the
 * command, its events' included, are drawn from them, so a repeat after a crash runs the command again and finds its own
 * events in the log instead of writing them twice. Once it has finished, the bytes are wiped and only the outcome is kept.
 *
 * A refusal is never remembered: the repeat is judged anew, since what stood in the way may be gone. One for `invalid-input`,
 * which wrote nothing, frees the key (mend the body, send it again); any other failure keeps key, body and bytes, because
 * the first of two streams may have been written, and the repeat has to go on with the same ids.
 */
export class Idempotency {
  constructor(
    private readonly pool: Pool,
    private readonly secrets: IdempotencySecrets,
    private readonly clock: Clock,
  ) {}

  /** Throws `idempotency-key-reused` (another body), `idempotency-in-progress`. */
  async reserve(sent: SentCommand): Promise<Reservation> {
    const { current, all } = await this.secrets.live();
    const candidates = all.map((secret) => prf(secret, 'record', partsOf(sent)));
    return (
      (await this.#reserveNew(sent, current, candidates[all.indexOf(current)]!, candidates)) ??
      (await this.#judge(sent, all, candidates)) ??
      // Freed between the two.
      this.reserve(sent)
    );
  }

  /**
   * Most commands are new, and this is all that they cost: one exchange with the database. `undefined` when there is a record.
   *
   * At the turn of the week two requests with one key could be recorded under two secrets: the lock makes them queue. So it is a
   * statement of its own: a statement sees what was committed before it began, and one that both waits for the lock and
   * looks for the record would not see what was recorded while it waited.
   */
  async #reserveNew(
    sent: SentCommand,
    current: WeekSecret,
    record: Buffer,
    candidates: readonly Buffer[],
  ): Promise<Reservation | undefined> {
    const [seed, now] = [randomBytes(32), this.clock.now()];
    const values = [record, current.week, prf(current, 'body', [bodyText(sent)]), seed, now, heldFrom(now)];
    const [, made] = await inOneExchange(this.pool, [
      [LOCK, [lockOf(sent)]],
      [INSERT, [candidates, ...values]],
    ]);
    if (made === 0) return undefined;
    return { state: 'run', record: { id: record, secret: current }, ids: idsOf(current, seed, now) };
  }

  /** `undefined` when there is no record. */
  #judge(
    sent: SentCommand,
    secrets: readonly WeekSecret[],
    candidates: readonly Buffer[],
  ): Promise<Reservation | undefined> {
    return inTransaction(this.pool, async (client) => {
      await client.query(LOCK, [lockOf(sent)]);
      const { rows } = await client.query<Row>(
        'select record, week, body, seed, reserved_at, held_until, outcome from idempotency where record = any($1)',
        [candidates],
      );
      const found = rows[0];
      if (!found) return undefined;
      const secret = secrets.find(({ week }) => week === found.week)!;
      if (!prf(secret, 'body', [bodyText(sent)]).equals(found.body)) throw new MakulerError('idempotency-key-reused');
      if (found.seed === null) return { state: 'finished', outcome: openOutcome(secret, found.record, found.outcome!) };
      const now = this.clock.now();
      if (found.held_until && found.held_until > now)
        throw new MakulerError('idempotency-in-progress', { retryAfterSeconds: 1 });
      await client.query('update idempotency set held_until = $2 where record = $1', [found.record, heldFrom(now)]);
      return { state: 'run', record: { id: found.record, secret }, ids: idsOf(secret, found.seed, found.reserved_at) };
    });
  }

  /** The command was accepted: the reserved bytes are wiped, the outcome kept. */
  async finish({ id, secret }: HeldRecord, outcome: Outcome): Promise<void> {
    await this.pool.query(
      'update idempotency set seed = null, held_until = null, outcome = $2 where record = $1 and seed is not null',
      [id, sealOutcome(secret, id, outcome)],
    );
  }

  /** The command failed or was refused: the next with this key may run at once, with the same ids. */
  async release({ id }: HeldRecord): Promise<void> {
    await this.pool.query('update idempotency set held_until = null where record = $1 and seed is not null', [id]);
  }

  /** The input was refused before anything was written: the key is free again, also for another body. */
  async forget({ id }: HeldRecord): Promise<void> {
    await this.pool.query('delete from idempotency where record = $1 and seed is not null', [id]);
  }
}

interface Row {
  readonly record: Buffer;
  readonly week: number;
  readonly body: Buffer;
  readonly seed: Buffer | null;
  readonly reserved_at: Date;
  readonly held_until: Date | null;
  readonly outcome: Buffer | null;
}

const LOCK = 'select pg_advisory_xact_lock($1)';
const INSERT = `
  insert into idempotency (record, week, body, seed, reserved_at, held_until)
  select $2::bytea, $3::integer, $4::bytea, $5::bytea, $6::timestamptz, $7::timestamptz
  where not exists (select from idempotency where record = any($1::bytea[]))`;

const heldFrom = (now: Date): Date => new Date(now.getTime() + HOLD_MS);
const partsOf = ({ actor, route, key }: Omit<SentCommand, 'body'>) => [actor, route, key];
const bodyText = ({ body }: SentCommand) => JSON.stringify(body ?? null);

/** The same under every week's secret; it stands in the memory of the database for as long as the transaction. */
export const lockOf = (sent: Omit<SentCommand, 'body'>): bigint =>
  createHash('sha256')
    .update(JSON.stringify(partsOf(sent)))
    .digest()
    .readBigInt64BE();

/** HMAC-SHA-256 over length-prefixed parts under a label, so that no two inputs read alike. */
const prf = ({ secret }: WeekSecret, label: string, parts: readonly string[]): Buffer =>
  parts
    .reduce(
      (mac, part) => mac.update(`${Buffer.byteLength(part)}:`).update(part),
      createHmac('sha256', secret).update(`${label}\n`),
    )
    .digest();
