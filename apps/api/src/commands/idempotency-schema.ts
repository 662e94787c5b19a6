import type { Migration } from '#postgres';

/**
 * What is kept of commands, in the control database. No column holds anything that was sent: `record` and `body` are
 * HMACs under a week's secret, `outcome` is sealed under it and the ids follow from `seed` and it: a copy of this table joins
 * neither the streams that a command wrote nor the person to a company. With the secret they end after 30 days. `idempotency_secret` is to be left out of
 * backups of this database: a secret that outlived its 30 days in one would let guesses be confirmed again.
 */
export const IDEMPOTENCY_MIGRATIONS: readonly Migration[] = [
  {
    id: '001-idempotency',
    up: `
      create table idempotency_secret (
        week integer primary key,
        secret bytea not null,
        made_at timestamptz not null
      );
      create table idempotency (
        record bytea primary key,
        week integer not null references idempotency_secret on delete cascade,
        body bytea not null,
        seed bytea,
        reserved_at timestamptz not null,
        held_until timestamptz,
        outcome bytea
      );
      create index idempotency_week on idempotency (week);
    `,
  },
];
