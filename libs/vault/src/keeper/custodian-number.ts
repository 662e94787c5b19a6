import type { PoolClient } from '#postgres';
import type { CustodianState } from './custodian/custodian-state.js';

/**
 * Notes which state of the custodian this transaction acts on, so that the gate finds a custodian that is older than the
 * database. Last in its transaction: the vault's row is locked after owners, buckets and scopes, by everybody.
 */
export const noteCustodian = async (client: PoolClient, { number }: CustodianState): Promise<void> => {
  await client.query('update vault set custodian_number = greatest(custodian_number, $1)', [number]);
};
