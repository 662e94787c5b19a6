import type { Generated, Selectable } from 'kysely';
import type { Migration } from '#postgres';

/**
 * `live`: what queries read, in the schema of the projection's own name. `next`: a rebuild beside it, in `<name>__next`.
 * Process managers have a live row only, and no tables.
 */
export type BuildRole = 'live' | 'next';
/**
 * catching-up, running: as they say. paused: the vault, the store or the database is away; goes on by itself. failed: stopped at
 * an event. outdated: built by another version of the program, or from another log; being rebuilt, and no longer followed.
 */
export type BuildStatus = 'catching-up' | 'running' | 'paused' | 'failed' | 'outdated';

interface BuildTable {
  name: string;
  role: BuildRole;
  kind: 'projection' | 'process';
  fingerprint: string;
  /** Everything up to here is in the rows (decimal text; the driver rounds nothing). */
  position: string;
  /** The last event seen, and where: as long as the log has it there, the rows were made from this very log. */
  event_stream: string | null;
  event_id: string | null;
  event_position: string | null;
  events: Generated<string>;
  status: BuildStatus;
  error_code: string | null;
  error_event: string | null;
  changed_at: Generated<Date>;
}

export type BuildRow = Selectable<BuildTable>;

export type RequestKind = 'rebuild' | 'resume';
interface RequestTable {
  id: Generated<string>;
  name: string;
  kind: RequestKind;
}

/** The runner's own tables; they hold names, positions, ids and codes. */
export interface ProjectionTables {
  'projections.build': BuildTable;
  'projections.request': RequestTable;
}

export const migrations: readonly Migration[] = [
  {
    id: '001-builds',
    up: `
      create schema projections;
      create table projections.build (
        name text not null,
        role text not null check (role in ('live', 'next')),
        kind text not null check (kind in ('projection', 'process')),
        fingerprint text not null,
        position bigint not null,
        event_stream text,
        event_id uuid,
        event_position bigint,
        events bigint not null default 0,
        status text not null check (status in ('catching-up', 'running', 'paused', 'failed', 'outdated')),
        error_code text,
        error_event uuid,
        changed_at timestamptz not null default now(),
        primary key (name, role)
      );
      create table projections.request (
        id bigint generated always as identity primary key,
        name text not null,
        kind text not null check (kind in ('rebuild', 'resume'))
      );`,
  },
];
