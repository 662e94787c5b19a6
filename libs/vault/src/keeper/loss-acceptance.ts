import { randomUUID } from 'node:crypto';
import type { Pool, PoolClient } from '#postgres';
import { newKey, wipe } from '../aead.js';
import type { Doubt, LossReport } from '../recovery-contract.js';
import { witnessedOf } from '../witness-contract.js';
import type { CustodianState } from './custodian/custodian-state.js';
import { survivingEpochs } from './custodian/custodian-state.js';
import type { CustodianMirrors } from './custodian/mirrors.js';
import { noteCustodian } from './custodian-number.js';
import type { EpochKeyWrap } from './epochs/epoch-keys.js';
import { storeWraps, wrapByMirrors } from './epochs/epoch-keys.js';
import { noteLost, noteOpened } from './epochs/epoch-table.js';
import { readVaultRow } from './founding.js';
import { demandedBy } from './gate-judgement.js';
import { beginIncarnation, readIncarnations } from './incarnations.js';
import type { LogTestimony } from './log-witness.js';
import type { Closed, Losses } from './losses.js';
import { beyond, bringUpCustodian, remember } from './older-custodian.js';
import { noteReconciled } from './reapplied.js';

/**
 * Makes of losses what the gate can open on: the keys named read as lost, what opens under nothing is taken out, the lives
 * that made lost keys are settled, and another life begins; with a new epoch key where none opens, and at a new custodian
 * where none is left. Cut off anywhere, it is found again by the same assessment, and said again it does the rest.
 */
export const acceptLosses = async (closed: Closed, losses: Losses): Promise<void> => {
  const { pool, custodian, clock, facts } = closed;
  const { log, handedOut } = facts;
  const { missingEvents, doubt } = losses.report;
  const row = await readVaultRow(pool);
  // What such a custodian does not know of was not destroyed by it: a mirror that was lost may be found again.
  const isAnew = custodian.state?.phase !== 'founded' || doubt === 'older-custodian';
  const founded = await custodianFor(closed, doubt, row?.epoch);
  const roots = survivingEpochs(founded);
  const opens = row !== undefined && roots.includes(row.epoch);
  const epoch = opens ? row.epoch : founded.epochs.at(-1)!;
  const wraps = opens ? undefined : await freshEpochKey(custodian, founded.installation, epoch);
  const settled = settledBy(log, handedOut, row && (await readIncarnations(pool)));
  await closed.write(async (client) => {
    if (!row) await writeRow(client, closed, epoch);
    if (wraps) await beginEpoch(client, epoch, wraps, clock.now());
    if (wraps && isAnew) await noteLost(client, epoch, founded.epochs, clock.now());
    await retireUnknownMirrors(client, founded.mirrors, clock.now());
    await takeOutUnopenable(client, roots, !opens);
    await markLost(client, losses);
    await beginIncarnation(client, { accepted: settled });
    // What the log has lost may be that somebody was erased.
    if (missingEvents) await client.query(`update owner set reapplied = true where state in ('erasing', 'closed')`);
    if (doubt === 'older-custodian')
      await noteReconciled(client, beyond(founded, await remember(client)).shredded.length);
    await noteCustodian(client, founded);
    await client.query(
      'insert into accepted_loss (hash, report, log_sequence) values ($1, $2, $3) on conflict do nothing',
      [losses.report.hash, JSON.stringify(losses.report), opens ? null : log.headSequence],
    );
  });
  if (doubt === 'older-custodian') await bringUpCustodian(closed);
  // Of what was accepted nothing is witnessed any more, whatever the log itself has there.
  const last = log.checkpoints.find(({ sequence }) => !missingEvents || sequence < missingEvents.from);
  const checkpoint = last ? witnessedOf(last) : null;
  await custodian.change(({ phase, checkpoint: kept }) =>
    phase === 'founding' || (missingEvents && kept?.hash !== checkpoint?.hash)
      ? { phase: 'founded', checkpoint }
      : undefined,
  );
};

/** The report of an acceptance that was carried out, by its hash. */
export const acceptedBefore = async (pool: Pool, hash: string): Promise<LossReport | undefined> =>
  (await pool.query<{ report: LossReport }>('select report from accepted_loss where hash = $1', [hash])).rows[0]
    ?.report;

/** An older copy without a root of the vault's epoch gets one of an epoch that vault and log have never seen. */
const custodianFor = async (
  closed: Closed,
  doubt: Doubt | undefined,
  epoch: number | undefined,
): Promise<CustodianState> => {
  const { custodian, facts } = closed;
  const { state } = custodian;
  if (!state) return foundCustodian(closed);
  if (doubt !== 'older-custodian' || epoch === undefined || survivingEpochs(state).includes(epoch)) return state;
  return custodian.createRoot(Math.max(epoch, ...facts.log.checkpoints.map((seen) => seen.epoch)) + 1);
};

/** All mirrors are gone: new roots, in a state and an epoch after every one that vault and log have seen. */
const foundCustodian = async ({ pool, custodian, facts: { log } }: Closed) => {
  const row = await readVaultRow(pool);
  const after = {
    number: Math.max(
      Number(row?.custodian_number ?? 0),
      ...log.checkpoints.map(({ custodianNumber }) => custodianNumber),
    ),
    epoch: Math.max(row?.epoch ?? 0, ...log.checkpoints.map(({ epoch }) => epoch)),
  };
  return custodian.found(row?.installation ?? log.checkpoints[0]?.installation ?? randomUUID(), after);
};

const freshEpochKey = async (
  custodian: CustodianMirrors,
  installation: string,
  epoch: number,
): Promise<readonly EpochKeyWrap[]> => {
  // None of them has a wrap that it could lack: the key is new, and lies under no root yet.
  for (const mirror of custodian.joining()) custodian.joined(mirror);
  const epochKey = newKey();
  try {
    return await wrapByMirrors(custodian, { installation, epoch }, epochKey);
  } finally {
    wipe(epochKey);
  }
};

/** Counts in the lives that the log names and this database does not know so far: what is not known of them is lost. */
const settledBy = (
  log: LogTestimony,
  handedOut: ReadonlyMap<string, number>,
  known: ReadonlyMap<string, number> = new Map(),
): ReadonlyMap<string, number> => {
  const settled = new Map<string, number>();
  for (const [incarnation, count] of [...demandedBy(log), ...handedOut])
    if ((known.get(incarnation) ?? -1) < count)
      settled.set(incarnation, Math.max(count, settled.get(incarnation) ?? 0));
  return settled;
};

/** Mirrors of a custodian that is lost: nobody waits for them any more. */
const retireUnknownMirrors = async (client: PoolClient, mirrors: readonly string[], now: Date): Promise<void> => {
  await client.query('update mirror set retired_at = $2 where retired_at is null and not id = any($1::uuid[])', [
    mirrors,
    now,
  ]);
};

const writeRow = async (client: PoolClient, { custodian, token, leaseMs }: Closed, epoch: number): Promise<void> => {
  const incarnation = randomUUID();
  await client.query(
    'insert into vault (installation, incarnation, mint_sequence, epoch, active, lease_ms) values ($1, $2, 0, $3, $4, $5)',
    [custodian.state!.installation, incarnation, epoch, token, leaseMs],
  );
  await client.query('insert into incarnation (id, begun_at_sequence) values ($1, 0)', [incarnation]);
};

const beginEpoch = async (
  client: PoolClient,
  epoch: number,
  wraps: readonly EpochKeyWrap[],
  now: Date,
): Promise<void> => {
  await client.query('update vault set epoch = $1', [epoch]);
  await client.query('delete from epoch_key where epoch = $1', [epoch]);
  await storeWraps(client, epoch, wraps);
  await noteOpened(client, epoch, now);
};

/**
 * Buckets that open under no root, and what lies in them. Live keys are lost; of what expired the key was destroyed before,
 * and the tombstone keeps only that. Fences stay up, without exceptions: what they named can't be read any more.
 */
const takeOutUnopenable = async (client: PoolClient, roots: readonly number[], all: boolean): Promise<void> => {
  const dead = 'select bucket_id from bucket where $2 or not epoch = any($1::int[])';
  const values = [roots, all];
  await client.query(
    `update scope set state = case state when 'live' then 'lost' else 'erased' end, bucket_id = null, identity = null, sealed = null
     where bucket_id in (${dead}) and state in ('live', 'expired')`,
    values,
  );
  await client.query(`update scope set bucket_id = null where bucket_id in (${dead})`, values);
  await client.query(
    `update owner set except_bucket = null, except_sealed = null where except_bucket in (${dead})`,
    values,
  );
  await client.query(`delete from owner_bucket where bucket_id in (${dead})`, values);
  await client.query(`delete from bucket where $2 or not epoch = any($1::int[])`, values);
  await client.query(
    'delete from epoch_key where not epoch in (select epoch from bucket union select epoch from vault)',
  );
};

const markLost = async (client: PoolClient, { scopeIds }: Losses): Promise<void> => {
  // A tombstone stays one: whoever was erased reads as erased.
  await client.query(
    `insert into scope (scope_id, state) select unnest($1::uuid[]), 'lost' on conflict (scope_id) do nothing`,
    [scopeIds],
  );
};
