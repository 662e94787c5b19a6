import type { RawBuilder } from 'kysely';
import { sql } from 'kysely';
import type { Pool, PoolClient } from './pool.js';
import { inTransaction, inTransactionFrom } from './pool.js';
import { DatabaseError } from './errors.js';

/** Who writes by right of a lease: its name, and the token that the lease's row must still show. */
export interface LeaseRight {
  readonly name: string;
  readonly token: string;
}

/** The lease is another's by now: nothing was written. */
export class LeaseLost extends Error {
  override readonly name = 'LeaseLost';
  constructor() {
    super('the lease was taken over');
  }
}

/** What a contender finds. */
export interface SeenLease {
  readonly number: string;
  readonly renewals: string;
  readonly lease_ms: number;
  readonly released: boolean;
  /** By the server's clock. */
  readonly expired: boolean;
  /** The session in which it was taken has ended. */
  readonly gone: boolean;
  /** Of the session that asks. */
  readonly own_pid: number;
}

/**
 * Apart from `public`, which archives copy: who is active is no part of a backup. `number` and `token` change with the holder
 * only. The unique key on `token` is what lets one row serve three kinds of callers (PostgreSQL, "Row-Level Locks"): a writer's
 * FOR KEY SHARE does not wait for a renewal, nor a renewal for writers, and taking over, which changes a key, waits for both.
 */
const TABLE = `
  create schema if not exists leases;
  create table if not exists leases.lease (
    name text primary key,
    number bigint not null,
    token uuid not null unique,
    renewals bigint not null,
    lease_ms integer not null,
    expires_at timestamptz not null,
    released boolean not null,
    session_pid integer not null,
    session_began timestamptz not null
  )`;

/** Makes table and row where they are missing; however many do it at once. */
const makeLease = (pool: Pool, name: string): Promise<void> =>
  inTransaction(pool, async (client) => {
    await client.query("select pg_advisory_xact_lock(hashtextextended('makuler.leases', 0))");
    await client.query(TABLE);
    await client.query(
      `insert into leases.lease (name, number, token, renewals, lease_ms, expires_at, released, session_pid, session_began)
       values ($1, 0, gen_random_uuid(), 0, 0, '-infinity', true, 0, '-infinity') on conflict do nothing`,
      [name],
    );
  });

const UNDEFINED_TABLE = '42P01';

/** How the lease stands. A database that has never had one gets it, in nobody's hands. */
export const seeLease = async (pool: Pool, client: PoolClient, name: string): Promise<SeenLease> => {
  const see = () =>
    client.query<SeenLease>(
      `select number, renewals, lease_ms, released, pg_backend_pid() as own_pid, expires_at <= clock_timestamp() as expired,
              not exists (select from pg_stat_activity a
                          where a.pid = session_pid and (a.backend_start = session_began or a.backend_start is null)) as gone
       from leases.lease where name = $1`,
      [name],
    );
  const { rows } = await see().catch((error: unknown) => {
    if (error instanceof DatabaseError && error.code === UNDEFINED_TABLE) return { rows: [] };
    throw error;
  });
  if (rows[0]) return rows[0];
  await makeLease(pool, name);
  return (await see()).rows[0]!;
};

/**
 * Ends the session in which the lease was taken, and no other: after a restart of the server its pid may be that of a session
 * which is nobody's holder, perhaps of a role that this one may neither see nor end.
 */
export const endSession = async (client: PoolClient, name: string, { number }: SeenLease): Promise<void> => {
  await client.query(
    `select pg_terminate_backend(a.pid) from leases.lease l join pg_stat_activity a on a.pid = l.session_pid and a.backend_start = l.session_began
     where l.name = $1 and l.number = $2`,
    [name, number],
  );
};

/**
 * Takes the lease from the holder that was seen: its new number, or `undefined` when it has been renewed or taken since. A session
 * that acts as another role (SET ROLE) may not see when it began; then its end isn't seen either, and the lease has to run out.
 */
export const takeLease = async (
  client: PoolClient,
  { name, token }: LeaseRight,
  leaseMs: number,
  seen: SeenLease,
): Promise<number | undefined> => {
  const { rows } = await client.query<{ number: string }>(
    `update leases.lease
     set number = number + 1, token = $2, renewals = 0, lease_ms = $3::integer, expires_at = clock_timestamp() + $3::integer * interval '1 ms', released = false,
         session_pid = pg_backend_pid(), session_began = coalesce((select backend_start from pg_stat_activity where pid = pg_backend_pid()), '-infinity')
     where name = $1 and number = $4 and renewals = $5 returning number`,
    [name, token, leaseMs, seen.number, seen.renewals],
  );
  return rows[0] && Number(rows[0].number);
};

/** Whether it was renewed: not when another has it by now. */
export const renewLease = async (
  client: PoolClient,
  { name, token }: LeaseRight,
  leaseMs: number,
): Promise<boolean> => {
  const { rowCount } = await client.query(
    `update leases.lease set renewals = renewals + 1, expires_at = clock_timestamp() + $3::integer * interval '1 ms' where name = $1 and token = $2`,
    [name, token, leaseMs],
  );
  return rowCount === 1;
};

/** Leaves it for whoever comes: nobody believes in it any more. */
export const giveUpLease = async (client: PoolClient, { name, token }: LeaseRight): Promise<void> => {
  await client.query('update leases.lease set released = true where name = $1 and token = $2', [name, token]);
};

const HELD = 'select from leases.lease where name = $1 and token = $2 for key share';

/** Throws LeaseLost unless the lease is still this one's. Inside a transaction it stays so until the commit. */
export const assertHeld = async (client: Pick<PoolClient, 'query'>, { name, token }: LeaseRight): Promise<void> => {
  if ((await client.query(HELD, [name, token])).rowCount !== 1) throw new LeaseLost();
};

/** The same as a condition in a statement of Kysely's: false when the lease is another's. */
export const held = ({ name, token }: LeaseRight): RawBuilder<boolean> =>
  sql<boolean>`exists (select from leases.lease where name = ${name} and token = ${token}::uuid for key share)`;

/** A statement that writes only what it joins with `held`, which has one row or none, and gives its rows from there. Its values begin at $3. */
export interface StatementUnder {
  readonly name: string;
  /** What comes after `with held as (…),`. */
  readonly text: string;
  readonly values: readonly unknown[];
}

/**
 * The rows of one statement that does something only while the lease is this one's, and is its own transaction unless `client` is in
 * one: a single message to the server, where `inTransactionUnder` takes three. Throws LeaseLost.
 */
export const askUnder = async <Row extends object>(
  client: Pick<PoolClient, 'query'>,
  right: LeaseRight,
  { name, text, values }: StatementUnder,
): Promise<readonly Row[]> => {
  const { rows } = await client.query<Row>({
    name,
    text: `with held as materialized (select from leases.lease where name = $1 and token = $2 for key share), ${text}`,
    values: [right.name, right.token, ...values],
  });
  if (rows.length === 0) throw new LeaseLost();
  return rows;
};

/**
 * A transaction that is committed only while the lease is this one's: whoever takes over waits for its end, or ends it. Asked
 * before anything else, in one message with the beginning, so that no lock of a stopped process outlives its lease. Throws LeaseLost.
 */
export const inTransactionUnder = <T>(
  pool: Pool,
  right: LeaseRight,
  work: (client: PoolClient) => Promise<T>,
): Promise<T> =>
  inTransactionFrom(
    pool,
    async (client) => {
      // Two statements in one message take no parameters; both are ours, and are looked at all the same.
      const [name, token] = [client.escapeLiteral(right.name), client.escapeLiteral(right.token)];
      const answers: unknown = await client.query(
        `begin; select from leases.lease where name = ${name} and token = ${token} for key share`,
      );
      if ((answers as { rowCount: number }[])[1]?.rowCount !== 1) throw new LeaseLost();
    },
    work,
  );
