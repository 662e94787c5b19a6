import type { Pool, PoolClient } from '#postgres';
import type { Destroyed } from './tombstones.js';

/** A row of `receipt`. It names neither scopes nor an owner. */
export interface StoredReceipt {
  readonly order_id: string;
  readonly destroyed: Destroyed[];
  readonly live_erased_at: Date | null;
  readonly epoch: number;
}

/**
 * Committed together with the tombstones, so that an order is known to be applied exactly when it is. `epoch` is the highest
 * that ever wrapped what the order destroyed: while a root of it, or of one before it, exists, an old copy may still open.
 */
export const storeReceipt = async (
  client: PoolClient,
  orderId: string,
  destroyed: readonly Destroyed[],
  epoch: number,
): Promise<void> => {
  await client.query('insert into receipt (order_id, destroyed, epoch) values ($1, $2, $3) on conflict do nothing', [
    orderId,
    JSON.stringify(destroyed),
    epoch,
  ]);
};

/** An order is cleared with the latest epoch that it has touched: this only ever grows. */
export const raiseReceipt = async (client: PoolClient, orderId: string, epoch: number): Promise<void> => {
  await client.query('update receipt set epoch = greatest(epoch, $2) where order_id = $1', [orderId, epoch]);
};

export const readReceipt = async (pool: Pool, orderId: string): Promise<StoredReceipt | undefined> =>
  (await pool.query<StoredReceipt>('select * from receipt where order_id = $1', [orderId])).rows[0];
