import type { Migration } from '#postgres';

/**
 * The vault's database. Nothing in it says who owns a scope: `owner_bucket` narrows an owner to a bucket of a few dozen
 * owners, and the rest stands in the sealed records. No column may ever hold a value that the scopes of one person have in
 * common and others have not (an order's id, a shred's counter, a time): a dump would join that person's streams by it.
 */
export const SCHEMA: readonly Migration[] = [
  {
    id: '001-vault',
    up: `
      create table vault (
        only_row boolean primary key default true check (only_row),
        installation uuid not null,
        incarnation uuid not null,         -- this life of the database; a restore begins another
        mint_sequence bigint not null,     -- keys ever minted; only grows
        epoch integer not null,
        active uuid not null,              -- the process that may write; a later one takes it over and fences the earlier
        lease_ms integer not null          -- the longest lease that the last process gave
      );
      create table epoch_key (
        epoch integer not null,
        mirror uuid not null,
        wrapped bytea not null,            -- the epoch key under this mirror's root
        primary key (epoch, mirror)
      );
      create table bucket (
        bucket_id uuid primary key,
        generation integer not null,       -- counts the bucket's keys; mint checks it under the row lock
        epoch integer not null,            -- the epoch key that wraps the bucket key
        wrapped bytea not null,
        scopes integer not null,
        owners integer not null,
        dirty boolean not null default false  -- a key was shredded under this generation: set with the tombstone, cleared by rotation only
      );
      create index bucket_dirty on bucket (bucket_id) where dirty;
      create table owner (
        owner_kind text not null check (owner_kind in ('subject', 'company')),
        owner_id uuid not null,
        state text not null check (state in ('open', 'fenced', 'erasing', 'closed')),
        except_bucket uuid references bucket, -- whose key seals the exceptions
        except_sealed bytea,
        primary key (owner_kind, owner_id)
      );
      create table owner_bucket (
        owner_kind text not null,
        owner_id uuid not null,
        bucket_id uuid not null references bucket,
        primary key (owner_kind, owner_id, bucket_id),
        foreign key (owner_kind, owner_id) references owner
      );
      create table scope (
        scope_id uuid primary key,
        bucket_id uuid references bucket,
        state text not null check (state in ('live', 'expired', 'erased')),
        identity bytea,                    -- MAC of owner, category, partition under a key of the bucket
        sealed bytea,
        unique (bucket_id, identity),
        check (state = 'erased' or (bucket_id is not null and identity is not null and sealed is not null)),
        check (state <> 'erased' or (identity is null and sealed is null))
      );
      create table receipt (
        order_id uuid primary key,
        destroyed jsonb not null,          -- categories and fingerprints; no scope, no owner
        live_erased_at timestamptz         -- null until every lease holder confirmed
      );
    `,
  },
  {
    // The order stands in the owner's own stream of the log and in the receipt, which names no scope: it joins nothing else.
    id: '002-fence-order',
    up: 'alter table owner add column fence_order uuid', // the order that may shred now; null when none may
  },
  {
    id: '003-epochs',
    up: `
      -- Number of the custodian's state that this database last acted on: a custodian with a lower one is an older copy.
      alter table vault add column custodian_number bigint not null default 0;
      create table epoch (
        epoch integer primary key,
        opened_at timestamptz not null,
        sealed_at timestamptz,             -- no bucket lies under an earlier epoch since
        destroy_at timestamptz,
        destroyed_at timestamptz           -- every enrolled mirror had confirmed that its root is gone
      );
      insert into epoch (epoch, opened_at) select epoch, now() from vault;
      -- The highest epoch that ever wrapped what the order destroyed: with its root the last old copy of it dies.
      alter table receipt add column epoch integer;
      update receipt set epoch = (select epoch from vault);
      alter table receipt alter column epoch set not null;
      -- A rotation looks for the exceptions that lie under its bucket.
      create index owner_except_bucket on owner (except_bucket) where except_bucket is not null;
      -- Where mirrors of the custodian are, beside those that the configuration names.
      create table mirror (
        id uuid primary key,
        place text not null,
        enrolled_at timestamptz not null,
        retired_at timestamptz
      );
    `,
  },
  {
    id: '004-gate',
    up: `
      -- The lives of this database. Keys that were minted in an ended one after it ended are unknown here.
      create table incarnation (
        id uuid primary key,
        begun_at_sequence bigint not null,
        ended_at_sequence bigint           -- null in the present one: it knows all that it makes
      );
      create unique index incarnation_present on incarnation ((true)) where ended_at_sequence is null;
      insert into incarnation (id, begun_at_sequence) select incarnation, 0 from vault;
      -- Lost: no backup would do, and two persons have accepted it. Keeps nothing, like an erased one, and is never one.
      alter table scope drop constraint scope_state_check, drop constraint scope_check, drop constraint scope_check1;
      alter table scope
        add constraint scope_state check (state in ('live', 'expired', 'erased', 'lost')),
        add constraint scope_kept check (state in ('erased', 'lost') or (bucket_id is not null and identity is not null and sealed is not null)),
        add constraint scope_gone check (state not in ('erased', 'lost') or (identity is null and sealed is null));
      -- Somebody's shreds were applied again, and the log may not say so yet.
      alter table owner add column reapplied boolean not null default false;
      create table reconciliation (
        id uuid primary key,
        applied bigint not null
      );
      -- What two persons have agreed to, by its hash: counts only.
      create table accepted_loss (
        hash text primary key,
        report jsonb not null,
        log_sequence bigint                -- where the log ended, if nothing that was minted until then is left
      );
    `,
  },
  {
    // Often only one of a bucket's owners was ever erased: tombstones that still named the bucket would join that person's streams.
    id: '005-erased-in-no-bucket',
    up: `
      update scope set bucket_id = null where state in ('erased', 'lost');
      alter table scope add constraint scope_joined check (state not in ('erased', 'lost') or bucket_id is null);
    `,
  },
  {
    // A root that went with its custodian was destroyed by nobody, and whoever finds it has it: such an epoch is never cleared.
    id: '006-epoch-lost',
    up: 'alter table epoch add column lost_at timestamptz', // when two persons accepted that its roots are lost
  },
];
