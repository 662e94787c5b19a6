import { randomUUID } from 'node:crypto';
import type { Pool } from '#postgres';
import { inTransaction } from '#postgres';
import { newKey, wipe } from '../aead.js';
import type { CustodianMirrors } from './custodian/mirrors.js';
import { GateRefusal } from './gate.js';

/** The `vault` row. */
export interface VaultRow {
  readonly installation: string;
  readonly incarnation: string;
  readonly mint_sequence: string;
  readonly epoch: number;
  readonly lease_ms: number;
}

export const readVaultRow = async (pool: Pool): Promise<VaultRow | undefined> =>
  (await pool.query<VaultRow>('select * from vault')).rows[0];

/**
 * The installation's row, made at the very first start; custodian and database end up with the same installation, whatever
 * a crash leaves half done. Throws GateRefusal: `foreign`, `custodian-missing`, or `database-empty` when a custodian that
 * knows keys meets a database without any: filling it anew would make everything that was sealed unreadable.
 */
export const found = async (
  pool: Pool,
  custodian: CustodianMirrors,
  token: string,
  leaseMs: number,
): Promise<VaultRow> => {
  const state = custodian.state;
  const row = await readVaultRow(pool);
  if (row && !state)
    throw new GateRefusal(
      'custodian-missing',
      'The database has keys, and the custodian is empty: its directories are missing or not these.',
    );
  if (row && state && row.installation !== state.installation)
    throw new GateRefusal('foreign', 'Database and custodian belong to two installations.');
  if (!row && state?.phase === 'founded')
    throw new GateRefusal(
      'database-empty',
      'The custodian has roots, and the database is empty: restore its last backup.',
    );
  if (!row) {
    const { installation } = state ?? (await custodian.found(randomUUID()));
    await writeFirstRow(pool, custodian, installation, token, leaseMs);
  }
  if (custodian.state!.phase === 'founding') await custodian.change(() => ({ phase: 'founded' }));
  return row ?? (await readVaultRow(pool))!;
};

const writeFirstRow = async (
  pool: Pool,
  custodian: CustodianMirrors,
  installation: string,
  token: string,
  leaseMs: number,
): Promise<void> => {
  const epochKey = newKey();
  const wraps = await Promise.all(
    custodian.mirrors.map(async (mirror) => ({
      mirror: await mirror.id(),
      wrapped: await mirror.wrapEpochKey({ installation, epoch: 1 }, epochKey),
    })),
  );
  wipe(epochKey);
  await inTransaction(pool, async (client) => {
    await client.query(
      `insert into vault (installation, incarnation, mint_sequence, epoch, active, lease_ms) values ($1, $2, 0, 1, $3, $4)`,
      [installation, randomUUID(), token, leaseMs],
    );
    for (const { mirror, wrapped } of wraps)
      await client.query('insert into epoch_key (epoch, mirror, wrapped) values (1, $1, $2)', [mirror, wrapped]);
  });
};

/**
 * The epoch key, opened by every mirror's root: one that opens nothing is found now and not on the day when it is the last
 * one left. Throws GateRefusal `wrong-root` and says which.
 */
export const openEpochKey = async (pool: Pool, custodian: CustodianMirrors, row: VaultRow): Promise<Uint8Array> => {
  const { rows } = await pool.query<{ mirror: string; wrapped: Buffer }>(
    'select mirror, wrapped from epoch_key where epoch = $1',
    [row.epoch],
  );
  let epochKey: Uint8Array | undefined;
  for (const mirror of custodian.mirrors) {
    const id = await mirror.id();
    const wrapped = rows.find((wrap) => wrap.mirror === id)?.wrapped;
    const opened =
      wrapped && (await mirror.unwrapEpochKey({ installation: row.installation, epoch: row.epoch }, wrapped));
    if (!opened || (epochKey && Buffer.compare(opened, epochKey) !== 0))
      throw new GateRefusal('wrong-root', `The root at ${mirror.name} does not open the key of epoch ${row.epoch}.`);
    if (epochKey) wipe(opened);
    else epochKey = opened;
  }
  return epochKey!;
};
