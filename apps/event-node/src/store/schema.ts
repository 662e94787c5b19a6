import type { Migration } from '#postgres';

/** Name of the list of migrations in the database. */
export const SCHEMA_NAME = 'event-node';

/**
 * The log is one table that is only ever inserted into. A row holds all that a reader needs, so a read is one index scan.
 * `data` and `metadata` are stored as they are (`external`): they are sealed and padded, compressing them costs and saves nothing.
 * The index on event_id is not unique: see rule 3 of the idempotency table in `store/decide.ts`.
 */
export const MIGRATIONS: readonly Migration[] = [
  {
    id: '001-log',
    up: `
      create table log (
        only_row boolean primary key default true check (only_row),
        incarnation uuid not null default gen_random_uuid()
      );
      insert into log default values;
      create table event (
        position bigint primary key,
        stream text collate "C" not null,
        revision bigint not null,
        event_id uuid not null,
        type text collate "C" not null,
        json boolean not null,
        created bigint not null,
        data bytea not null,
        metadata bytea not null,
        constraint event_revision unique (stream, revision)
      );
      alter table event alter column data set storage external, alter column metadata set storage external;
      create index event_id on event (event_id);
    `,
  },
];
