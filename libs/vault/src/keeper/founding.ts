import { randomUUID } from 'node:crypto';
import { MakulerError } from '#kernel';
import type { Pool } from '#postgres';
import { newKey, wipe } from '../aead.js';
import type { CustodianMirrors } from './custodian/mirrors.js';
import type { Write } from './active.js';
import { storeWraps, wrapByMirrors } from './epochs/epoch-keys.js';
import { noteOpened } from './epochs/epoch-table.js';
import { writeFirstIncarnation } from './incarnations.js';

/** The `vault` row. */
export interface VaultRow {
  readonly installation: string;
  readonly incarnation: string;
  readonly mint_sequence: string;
  readonly epoch: number;
  readonly lease_ms: number;
  readonly custodian_number: string;
}

export const readVaultRow = async (pool: Pool): Promise<VaultRow | undefined> =>
  (await pool.query<VaultRow>('select * from vault')).rows[0];

interface NewLife {
  /** The right to write. */
  readonly token: string;
  readonly write: Write;
  readonly leaseMs: number;
  readonly now: Date;
}

/**
 * Writes the right to write into the vault's row, and the longest lease that was ever given: this process may end before those
 * of the one before it have run out, and the next one waits for them too. Waits for a transaction that another vault may still have under way there;
 * throws `vault-unavailable` when that has begun another epoch since `row` was read.
 */
export const takeOver = async (row: VaultRow, { token, write, leaseMs }: NewLife): Promise<void> => {
  const { rowCount } = await write((client) =>
    client.query('update vault set active = $1, lease_ms = greatest(lease_ms, $2) where epoch = $3', [
      token,
      leaseMs,
      row.epoch,
    ]),
  );
  if (rowCount !== 1) throw new MakulerError('vault-unavailable', { detail: 'Another vault was still sealing.' });
};

/**
 * The installation's row, made at the very first start; custodian and database end up with the same installation, whatever
 * a crash leaves half done. Only behind the gate's verdict: a database is filled anew only when nothing was ever sealed.
 */
export const found = async (pool: Pool, custodian: CustodianMirrors, life: NewLife): Promise<VaultRow> => {
  const state = custodian.state;
  const row = await readVaultRow(pool);
  if (!row) {
    const { installation } = state ?? (await custodian.found(randomUUID()));
    await writeFirstRow(custodian, installation, life);
  }
  if (custodian.state!.phase === 'founding') await custodian.change(() => ({ phase: 'founded' }));
  return row ?? (await readVaultRow(pool))!;
};

const writeFirstRow = async (
  custodian: CustodianMirrors,
  installation: string,
  { token, write, leaseMs, now }: NewLife,
): Promise<void> => {
  const epochKey = newKey();
  const wraps = await wrapByMirrors(custodian, { installation, epoch: 1 }, epochKey);
  wipe(epochKey);
  await write(async (client) => {
    const incarnation = randomUUID();
    await client.query(
      `insert into vault (installation, incarnation, mint_sequence, epoch, active, lease_ms, custodian_number) values ($1, $2, 0, 1, $3, $4, $5)`,
      [installation, incarnation, token, leaseMs, custodian.state!.number],
    );
    await writeFirstIncarnation(client, incarnation);
    await storeWraps(client, 1, wraps);
    await noteOpened(client, 1, now);
  });
};
