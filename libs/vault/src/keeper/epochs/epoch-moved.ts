import type { Pool } from '#postgres';

/** A bucket was made in an epoch that ended before the bucket was committed. The transaction is rolled back and tried again. */
export class EpochMoved extends Error {
  override readonly name = 'EpochMoved';
}

/**
 * Resolves when no seal is about to commit: from the moment at which buckets are made in its epoch until then it holds the vault's
 * row. Asked outside of any transaction, so that the next one sees what it has waited for.
 */
export const sealHasCommitted = async (pool: Pool): Promise<void> => {
  await pool.query('select from vault for share');
};
