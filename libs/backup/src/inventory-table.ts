import type { Migration, Pool } from '#postgres';
import { migrate } from '#postgres';

/** Name of the list of steps in the control database. */
export const BACKUPS = 'backups';

export const BACKUP_MIGRATIONS: readonly Migration[] = [
  {
    id: '001-backup-set',
    up: `
      create table backup_set (
        set_id uuid primary key,
        directory text not null,
        created_at timestamptz not null,
        log_position text not null,
        log_sequence bigint not null,
        vault_epoch integer not null,       -- when its roots are gone, the set opens no more
        bytes bigint not null,
        verified_at timestamptz,            -- read back whole
        drilled_at timestamptz,             -- restored in a drill that found nothing wrong
        expired_at timestamptz,             -- its roots are gone
        removed_at timestamptz
      );
      create table backup_restored (
        set_id uuid primary key,            -- this database was filled from it
        restored_at timestamptz not null default now()
      );
    `,
  },
];

/** Directories of all sets that were not removed, whatever they are still good for. Throws `database-unavailable`. */
export const directoriesOf = async (control: Pool): Promise<readonly string[]> => {
  await migrate(control, BACKUPS, BACKUP_MIGRATIONS);
  const { rows } = await control.query<{ directory: string }>(
    'select directory from backup_set where removed_at is null order by created_at',
  );
  return rows.map(({ directory }) => directory);
};
