import type { Clock } from '#kernel';
import { isMakulerError } from '#kernel';
import type { Pool } from '#postgres';
import { migrate } from '#postgres';
import type { EpochsReport, VaultOperations } from '#vault/operations';
import { BACKUP_MIGRATIONS, BACKUPS } from './inventory-table.js';
import type { Manifest } from './manifest.js';

/** `good` opens; `expired` opens no more, because its roots are gone; `removed` was expired and is deleted. */
export type SetState = 'good' | 'expired' | 'removed';

/** A set as the inventory knows it. */
export interface KnownSet {
  readonly setId: string;
  readonly directory: string;
  readonly createdAt: Date;
  readonly position: string;
  readonly events: number;
  readonly epoch: number;
  readonly bytes: number;
  readonly state: SetState;
  /** When it was read back whole, if it was. */
  readonly verifiedAt: Date | undefined;
  /** When a drill restored it and found nothing wrong. */
  readonly drilledAt: Date | undefined;
  /**
   * Until when it can be restored; `open` while its epoch is not sealed yet, `unknown` while the vault can't be asked,
   * undefined when it can be no more.
   */
  readonly restorableUntil: Date | 'open' | 'unknown' | undefined;
}

/** A set as it is shown: instants as RFC 3339, what there is not as null. */
export type SetView = Omit<KnownSet, 'createdAt' | 'verifiedAt' | 'drilledAt' | 'restorableUntil'> &
  Record<'createdAt', string> &
  Record<'verifiedAt' | 'drilledAt' | 'restorableUntil', string | null>;

export const viewOf = ({ createdAt, verifiedAt, drilledAt, restorableUntil, ...set }: KnownSet): SetView => ({
  ...set,
  createdAt: createdAt.toISOString(),
  verifiedAt: verifiedAt?.toISOString() ?? null,
  drilledAt: drilledAt?.toISOString() ?? null,
  restorableUntil: restorableUntil instanceof Date ? restorableUntil.toISOString() : (restorableUntil ?? null),
});

interface Row {
  readonly set_id: string;
  readonly directory: string;
  readonly created_at: Date;
  readonly log_position: string;
  readonly log_sequence: string;
  readonly vault_epoch: number;
  readonly bytes: string;
  readonly verified_at: Date | null;
  readonly drilled_at: Date | null;
  readonly expired_at: Date | null;
  readonly removed_at: Date | null;
}

/**
 * Which sets there are, in the control database. What the vault says of epochs decides what they are still good for: a set
 * dies with the roots of its epoch, wherever it lies. Methods throw `database-unavailable`, `vault-unavailable`.
 */
export class Inventory {
  #ready: Promise<unknown> | undefined;

  constructor(
    private readonly control: Pool,
    private readonly operations: Pick<VaultOperations, 'epochs'>,
    private readonly clock: Clock,
  ) {}

  /** Notes a set that is whole and on disk. */
  async add(manifest: Manifest, directory: string): Promise<void> {
    await this.#migrated();
    const bytes = manifest.parts.reduce((sum, part) => sum + part.bytes, 0);
    const { setId, createdAt, log, vault } = manifest;
    await this.control.query(
      `insert into backup_set (set_id, directory, created_at, log_position, log_sequence, vault_epoch, bytes)
       values ($1, $2, $3, $4, $5, $6, $7) on conflict (set_id) do update set directory = excluded.directory`,
      [setId, directory, createdAt, log.position, log.sequence, vault.epoch, bytes],
    );
  }

  async noteVerified(setId: string): Promise<void> {
    await this.#migrated();
    await this.control.query('update backup_set set verified_at = $2 where set_id = $1', [setId, this.clock.now()]);
  }

  async noteDrilled(setId: string): Promise<void> {
    await this.#migrated();
    await this.control.query('update backup_set set drilled_at = $2 where set_id = $1', [setId, this.clock.now()]);
  }

  async noteRemoved(setId: string): Promise<void> {
    await this.#migrated();
    await this.control.query('update backup_set set removed_at = $2 where set_id = $1', [setId, this.clock.now()]);
  }

  /** Whether a set of this epoch may still open. */
  async opens(epoch: number): Promise<boolean> {
    // Asked twice before it is believed: a seal may end while the vault answers, and then neither half of the answer names the
    // epoch that it sealed. It does by the next.
    return opens(epoch, await this.operations.epochs()) || opens(epoch, await this.operations.epochs());
  }

  /**
   * All of them, the latest first. Sets whose roots have gone since are marked as expired. Behind a closed gate too: then it
   * is what an operator needs most.
   */
  async list(): Promise<readonly KnownSet[]> {
    await this.#migrated();
    const epochs = await this.#epochs();
    if (epochs) await this.#markExpired();
    const { rows } = await this.control.query<Row>('select * from backup_set order by created_at desc, set_id');
    return rows.map((row) => knownSet(row, epochs));
  }

  #epochs(): Promise<EpochsReport | undefined> {
    return this.operations.epochs().catch((error: unknown) => {
      if (isMakulerError(error, 'vault-unavailable')) return undefined;
      throw error;
    });
  }

  async #markExpired(): Promise<void> {
    const known = await this.control.query<{ vault_epoch: number }>(
      'select distinct vault_epoch from backup_set where expired_at is null',
    );
    const gone: number[] = [];
    for (const { vault_epoch: epoch } of known.rows) if (!(await this.opens(epoch))) gone.push(epoch);
    await this.control.query(
      'update backup_set set expired_at = $2 where expired_at is null and vault_epoch = any($1)',
      [gone, this.clock.now()],
    );
  }

  #migrated(): Promise<unknown> {
    return (this.#ready ??= migrate(this.control, BACKUPS, BACKUP_MIGRATIONS).catch((error: unknown) => {
      this.#ready = undefined;
      throw error;
    }));
  }
}

/** While a seal is under way the epoch before is not named among the sealed ones yet, and all of its roots exist. */
const opens = (epoch: number, { current, sealing, retiring }: EpochsReport): boolean =>
  epoch >= (sealing ? current - 1 : current) || retiring.some((one) => one.epoch === epoch);

const knownSet = (row: Row, epochs: EpochsReport | undefined): KnownSet => ({
  setId: row.set_id,
  directory: row.directory,
  createdAt: row.created_at,
  position: row.log_position,
  events: Number(row.log_sequence),
  epoch: row.vault_epoch,
  bytes: Number(row.bytes),
  state: row.removed_at ? 'removed' : row.expired_at ? 'expired' : 'good',
  verifiedAt: row.verified_at ?? undefined,
  drilledAt: row.drilled_at ?? undefined,
  restorableUntil: row.expired_at || row.removed_at ? undefined : restorableUntil(row.vault_epoch, epochs),
});

const restorableUntil = (epoch: number, epochs: EpochsReport | undefined): Date | 'open' | 'unknown' => {
  if (!epochs) return 'unknown';
  const sealed = epochs.retiring.find((one) => one.epoch === epoch);
  return sealed ? new Date(sealed.destroyAt) : 'open';
};
