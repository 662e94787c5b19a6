import type { ActorId } from '#kernel';
import { MakulerError, SystemClock, newId } from '#kernel';
import type { Pool } from '#postgres';
import { createPool, migrate } from '#postgres';
import { testDatabase } from '#testing';
import { IDEMPOTENCY_MIGRATIONS } from './idempotency-schema.js';
import { IdempotencySecrets } from './idempotency-secrets.js';
import type { Reservation, SentCommand } from './idempotency.js';
import { Idempotency } from './idempotency.js';

const DAY_MS = 86_400_000;
class MovableClock extends SystemClock {
  constructor(public at: Date) {
    super();
  }
  override now(): Date {
    return this.at;
  }
}

describe('idempotency', () => {
  let database: Awaited<ReturnType<typeof testDatabase>>;
  let pool: Pool;
  // A Thursday, at which weeks counted from 1970 begin.
  const turn = new Date('2026-11-19T00:00:00Z');
  const clock = new MovableClock(turn);
  const guard = { assertConfirmed: async () => undefined };
  /** As another process would: nothing of the first one's memory. */
  const start = () => new Idempotency(pool, new IdempotencySecrets(pool, clock, guard), clock);
  let idempotency: Idempotency;

  beforeAll(async () => {
    database = await testDatabase();
    pool = createPool(database.url, { name: 'spec', pipeline: true });
    await migrate(pool, 'idempotency', IDEMPOTENCY_MIGRATIONS);
  });
  afterAll(async () => {
    await pool.end();
    await database.drop();
  });
  beforeEach(() => {
    clock.at = turn;
    idempotency = start();
  });

  const sent = (body: unknown = { name: 'Kari Marknes' }, key = newId()): SentCommand => ({
    actor: '01890000-0000-7000-8000-00000000000a' as ActorId,
    route: 'POST /v1/customers',
    key,
    body,
  });
  const running = (reservation: Reservation) => {
    if (reservation.state !== 'run') throw new Error('it was finished');
    return reservation;
  };
  const later = (ms: number) => {
    clock.at = new Date(clock.at.getTime() + ms);
  };

  it('lets one of two run, and tells the other that it is under way', async () => {
    const command = sent();
    const results = await Promise.allSettled(Array.from({ length: 8 }, () => start().reserve(command)));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const result of results)
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'idempotency-in-progress' });
  });

  it('does so at the turn of the week too, when they know different secrets', async () => {
    const at = (process: Idempotency, ms: number, command: SentCommand) => {
      clock.at = new Date(turn.getTime() + 7 * DAY_MS + ms);
      return process.reserve(command);
    };
    const [late, early] = [start(), start()];
    // Each has learnt its week's secret.
    await at(late, -1, sent());
    await at(early, 0, sent());
    for (let i = 0; i < 20; i++) {
      const command = sent();
      const results = await Promise.allSettled([at(late, -1, command), at(early, 0, command)]);
      expect(results.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    }
  });

  it('gives the same ids to a repeat after a crash, once the hold has ended', async () => {
    const command = sent();
    const ids = running(await idempotency.reserve(command)).ids;
    const drawn = [ids.next(), ids.next(), ids.fork().next()];
    later(5_001);
    const again = running(await start().reserve(command)).ids;
    expect([again.next(), again.next(), again.fork().next()]).toEqual(drawn);
  });

  it('remembers the outcome to the letter and wipes the reserved bytes', async () => {
    const command = sent();
    const outcome = { ids: { z: 1, a: 'x' }, status: 201 };
    await idempotency.finish(running(await idempotency.reserve(command)).record, outcome);
    const repeat = await start().reserve(command);
    expect(JSON.stringify(repeat)).toBe(JSON.stringify({ state: 'finished', outcome }));
    const { rows } = await pool.query('select 1 from idempotency where outcome is not null and seed is not null');
    expect(rows).toEqual([]);
  });

  it('refuses another body, and keeps apart actors, routes and keys that read alike', async () => {
    const command = sent();
    await idempotency.reserve(command);
    await expect(idempotency.reserve({ ...command, body: {} })).rejects.toMatchObject({
      code: 'idempotency-key-reused',
    });
    const alike = [{ ...command, actor: newId<ActorId>() }, { ...command, route: `${command.route}x` }, sent()];
    for (const other of alike) expect((await idempotency.reserve(other)).state).toBe('run');
  });

  it('keeps the ids of an outcome from whoever has the table without the secret', async () => {
    const outcome = { ids: { customerId: 'one-id', companyId: 'another' }, status: 201 };
    await idempotency.finish(running(await idempotency.reserve(sent())).record, outcome);
    const { rows } = await pool.query<{ outcome: Buffer }>('select outcome from idempotency where outcome is not null');
    expect(rows.map((row) => row.outcome.toString('latin1')).join()).not.toMatch(/one-id|another|customerId/);
  });

  it('recognises a repeat for 23 days, and destroys secret and records after 30, by a clock that is confirmed', async () => {
    later(DAY_MS / 2);
    const command = sent();
    const made = clock.at.getTime();
    await idempotency.finish(running(await idempotency.reserve(command)).record, { ids: {}, status: 200 });
    clock.at = new Date(made + 23 * DAY_MS);
    expect((await start().reserve(command)).state).toBe('finished');
    clock.at = new Date(turn.getTime() + 30 * DAY_MS);
    expect((await start().reserve(command)).state).toBe('run');
    const count = async () =>
      (await pool.query('select 1 from idempotency where reserved_at <= $1', [new Date(made)])).rowCount;
    expect(await count()).toBeGreaterThan(0);
    const doubting = { assertConfirmed: () => Promise.reject(new MakulerError('clock-implausible')) };
    await expect(new IdempotencySecrets(pool, clock, doubting).destroyOld()).rejects.toMatchObject({
      code: 'clock-implausible',
    });
    expect(await count()).toBeGreaterThan(0);
    expect(await new IdempotencySecrets(pool, clock, guard).destroyOld()).toBe(1);
    expect(await count()).toBe(0);
  });

  it('keeps nothing that was sent', async () => {
    await idempotency.reserve(sent({ name: 'Kari Marknes' }, 'marknes-as-a-key'));
    const { rows } = await pool.query(
      "select i::text || encode(record, 'escape') || encode(body, 'escape') as row from idempotency i",
    );
    expect(JSON.stringify(rows)).not.toMatch(/kari|marknes/i);
  });
});
