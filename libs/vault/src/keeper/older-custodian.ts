import type { OwnerRef, ScopeId } from '#kernel';
import { MakulerError } from '#kernel';
import type { Pool, PoolClient } from '#postgres';
import type { ClosedOwner, CustodianState, Forgetting, JournalEntry } from './custodian/custodian-state.js';
import type { RetiringEpoch } from './custodian/custodian-state.js';
import { unite } from './custodian/uniting.js';
import { openEpochKeys } from './epochs/epoch-keys.js';
import { readEpochs } from './epochs/epoch-table.js';
import { stillThere } from './forgotten.js';
import { readVaultRow } from './founding.js';
import { GateRefusal } from './gate.js';
import { BucketKeyring } from './keyring.js';
import type { Closed } from './losses.js';

/**
 * Before two persons are asked whether an older custodian may go on: of everybody whom the whole log names as forgotten, the
 * vault must have nothing left. Its counts of keys alone do not say so, for a shred makes no key. Throws `nothing-lost`.
 * Without a root of the vault's epoch nothing opens, so nobody can come back.
 */
export const assertNobodyReturns = async ({ pool, write, custodian, witness, refused }: Closed): Promise<void> => {
  if (refused?.state === 'lost') return;
  const row = (await readVaultRow(pool))!;
  const epochKeys = await openEpochKeys(pool, custodian, row).catch((error: unknown) => {
    throw error instanceof GateRefusal ? new MakulerError('nothing-lost', { detail: error.message }) : error;
  });
  const keyring = new BucketKeyring(row.installation, epochKeys, row.epoch);
  try {
    const { forgot } = await witness.testify(0);
    const count = await stillThere({ pool, write }, keyring, forgot);
    if (count > 0)
      throw new MakulerError('nothing-lost', {
        detail: `The vault is an older copy too: the log names ${count} as forgotten who are still in it. Restore a newer vault.`,
      });
  } finally {
    keyring.wipe();
  }
};

/** What the vault's database remembers of what the lost mirrors knew. */
export interface Remembered {
  readonly shredded: readonly JournalEntry[];
  readonly closed: readonly ClosedOwner[];
  /** Sealed epochs, those included of which the roots were destroyed: an older copy may have brought them back. */
  readonly sealed: readonly RetiringEpoch[];
}

/**
 * Tombstones, with the epoch of their bucket; those in none with the current one, which is at least as high as any that they
 * ever lay under: an entry that leaves the journal too late harms nobody.
 */
export const remember = async (pool: Pool | PoolClient): Promise<Remembered> => {
  const { rows: shredded } = await pool.query<{ scopeId: ScopeId; kind: Forgetting; epoch: number }>(
    `select scope_id as "scopeId", state as kind, coalesce(bucket.epoch, vault.epoch) as epoch
     from vault, scope left join bucket using (bucket_id) where state in ('erased', 'expired')`,
  );
  const { rows: closed } = await pool.query<OwnerRef & { epoch: number }>(
    `select owner_kind as kind, owner_id as id, epoch from owner, vault where state = 'closed'`,
  );
  const sealed = (await readEpochs(pool)).flatMap(({ epoch, sealed_at: sealedAt, destroy_at: destroyAt }) =>
    sealedAt && destroyAt
      ? [{ epoch, sealedAt: sealedAt.toISOString(), destroyAt: destroyAt.toISOString(), confirmed: [] }]
      : [],
  );
  return { shredded, closed, sealed };
};

/** What the older state lacks of it. What it knows keeps the epoch that it says. */
export const beyond = ({ shredded, closed, epochs, retiring }: CustodianState, remembered: Remembered): Remembered => {
  const kinds = new Map(shredded.map(({ scopeId, kind }) => [scopeId, kind]));
  const isUnknown = ({ scopeId, kind }: JournalEntry) =>
    !kinds.has(scopeId) || (kind === 'erased' && kinds.get(scopeId) === 'expired');
  const known = new Set(closed.map(({ id }) => id));
  const dated = new Set(retiring.map(({ epoch }) => epoch));
  return {
    shredded: remembered.shredded.filter(isUnknown),
    closed: remembered.closed.filter(({ id }) => !known.has(id)),
    sealed: remembered.sealed.filter(({ epoch }) => epochs.includes(epoch) && !dated.has(epoch)),
  };
};

/**
 * Makes an older custodian good: its journal has every tombstone, roots that came back with it are to be destroyed again, and
 * its number is beyond every one that vault and log have seen. One write, so that after a crash it is all done or none of it.
 */
export const bringUpCustodian = async ({ pool, custodian, facts: { log } }: Closed): Promise<void> => {
  const row = (await readVaultRow(pool))!;
  const remembered = await remember(pool);
  const seen = Math.max(Number(row.custodian_number), ...log.checkpoints.map(({ custodianNumber }) => custodianNumber));
  await custodian.changeBeyond(seen, (state) => {
    const { shredded, closed, sealed } = beyond(state, remembered);
    const retiring = [...state.retiring, ...sealed].sort((a, b) => a.epoch - b.epoch);
    return unite(state, { ...state, ...{ pending: [], shredded, closed, retiring } });
  });
};
