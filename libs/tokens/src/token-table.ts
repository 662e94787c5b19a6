import type { Migration } from '#postgres';

/** Name of the list of migrations in the control database. */
export const TOKENS = 'tokens';

export const TOKEN_MIGRATIONS: readonly Migration[] = [
  {
    id: '001-api-token',
    up: `create table api_token (
      token_id uuid primary key,
      actor_id uuid not null,
      hash bytea not null check (octet_length(hash) = 32),
      roles text[] not null check (cardinality(roles) > 0),
      default_purpose text,
      label text not null,
      created_at timestamptz not null,
      expires_at timestamptz,
      revoked_at timestamptz
    )`,
  },
  {
    // Of persons whom a provider of bearer tokens vouches for: a hash of who they are there.
    id: '002-oidc-actor',
    up: 'create table oidc_actor (who bytea primary key check (octet_length(who) = 32), actor_id uuid not null)',
  },
];

/** A row of api_token. */
export interface TokenRow {
  token_id: string;
  actor_id: string;
  hash: Buffer;
  roles: string[];
  default_purpose: string | null;
  label: string;
  created_at: Date;
  expires_at: Date | null;
  revoked_at: Date | null;
}
