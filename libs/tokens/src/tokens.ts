import type { ActorId, Clock, Role } from '#kernel';
import { isId, MakulerError, newId } from '#kernel';
import type { Pool } from '#postgres';
import { migrate } from '#postgres';
import { makeSecret, readSecret, sameHash } from './secret.js';
import type { TokenRow } from './token-table.js';
import { TOKEN_MIGRATIONS, TOKENS } from './token-table.js';

/** Roles that a token may carry; `system` is no token's. */
export const TOKEN_ROLES = [
  'integrator',
  'service-desk',
  'analyst',
  'compliance',
  'approver',
  'auditor',
  'operator',
] as const satisfies readonly Role[];
export type TokenRole = (typeof TOKEN_ROLES)[number];

/** Who a valid token speaks for. */
export interface TokenHolder {
  readonly tokenId: string;
  /** Stands in the metadata of what this holder does; random. */
  readonly actorId: ActorId;
  readonly roles: readonly TokenRole[];
  /** Purpose that holds when a request states none. */
  readonly defaultPurpose: string | undefined;
}

/** What is known of a token beside its secret, which nobody can read again. */
export interface TokenInfo extends TokenHolder {
  /** What staff call it; may name a person, so it stays in the control database. */
  readonly label: string;
  readonly createdAt: Date;
  readonly expiresAt: Date | undefined;
  readonly revokedAt: Date | undefined;
}

export interface NewToken {
  readonly roles: readonly TokenRole[];
  readonly label: string;
  readonly defaultPurpose?: string;
  readonly expiresAt?: Date;
}

/** API tokens in the control database: hashed with SHA-256, compared in constant time. Throws `database-unavailable`. */
export class Tokens {
  constructor(
    private readonly control: Pool,
    private readonly clock: Clock,
  ) {}

  /** Brings the table up to date; before anything else, by every program that uses it. */
  async migrate(): Promise<void> {
    await migrate(this.control, TOKENS, TOKEN_MIGRATIONS);
  }

  /** Makes a token with an actor of its own. Its text is in this answer and nowhere else. */
  async create(wanted: NewToken): Promise<{ token: string; info: TokenInfo }> {
    const tokenId = newId();
    const { token, hash } = makeSecret(tokenId);
    const { rows } = await this.control.query<TokenRow>(
      `insert into api_token (token_id, actor_id, hash, roles, default_purpose, label, created_at, expires_at)
       values ($1, $2, $3, $4, $5, $6, $7, $8) returning *`,
      [tokenId, newId(), hash, wanted.roles, wanted.defaultPurpose, wanted.label, this.clock.now(), wanted.expiresAt],
    );
    return { token, info: infoOf(rows[0]!) };
  }

  /** All tokens, revoked and expired ones included, oldest first. */
  async list(): Promise<readonly TokenInfo[]> {
    const { rows } = await this.control.query<TokenRow>('select * from api_token order by created_at, token_id');
    return rows.map(infoOf);
  }

  /**
   * A new token for the same actor, roles, purpose and length of life; the old one ends now, or `graceMs` from now, so that
   * its holder can change over. Four eyes goes on seeing one person. Throws `not-found` when no such token is valid.
   */
  async rotate(tokenId: string, { graceMs = 0 } = {}): Promise<{ token: string; info: TokenInfo }> {
    const next = newId();
    const { token, hash } = makeSecret(next);
    const now = this.clock.now();
    const { rows } = await this.control.query<TokenRow>(
      // One statement: there is no moment with both tokens for ever, or with none.
      `with old as (select * from api_token where token_id = $1 and revoked_at is null
                    and (expires_at is null or expires_at > $4) for update),
            ended as (update api_token t set revoked_at = case when $5::timestamptz = $4 then $4 end,
                                             expires_at = least(t.expires_at, $5)
                      from old where t.token_id = old.token_id)
       insert into api_token (token_id, actor_id, hash, roles, default_purpose, label, created_at, expires_at)
       select $2, actor_id, $3, roles, default_purpose, label, $4, $4 + (expires_at - created_at) from old returning *`,
      [isId(tokenId) ? tokenId : null, next, hash, now, new Date(now.getTime() + graceMs)],
    );
    const [row] = rows;
    if (!row) throw new MakulerError('not-found', { detail: 'There is no valid token with this id.' });
    return { token, info: infoOf(row) };
  }

  /** Ends a token, for every process from its next request on. Again is no error; throws `not-found`. */
  async revoke(tokenId: string): Promise<void> {
    const revoked = isId(tokenId) && (await this.#endNow(tokenId));
    if (!revoked) throw new MakulerError('not-found', { detail: 'There is no token with this id.' });
  }

  async #endNow(tokenId: string): Promise<boolean> {
    const { rowCount } = await this.control.query(
      'update api_token set revoked_at = coalesce(revoked_at, $2) where token_id = $1',
      [tokenId, this.clock.now()],
    );
    return rowCount === 1;
  }

  /** Who the text of a token speaks for, or undefined: unknown, wrong, expired and revoked are not told apart. */
  async verify(token: string): Promise<TokenHolder | undefined> {
    const given = readSecret(token);
    if (!given) return undefined;
    const { rows } = await this.control.query<TokenRow>({
      name: 'token-by-id',
      text: 'select * from api_token where token_id = $1',
      values: [given.tokenId],
    });
    const [row] = rows;
    if (!row || !sameHash(row.hash, given.hash)) return undefined;
    if (row.revoked_at !== null || (row.expires_at !== null && row.expires_at <= this.clock.now())) return undefined;
    return holderOf(row);
  }
}

const holderOf = (row: TokenRow): TokenHolder => ({
  tokenId: row.token_id,
  actorId: row.actor_id as ActorId,
  roles: row.roles as TokenRole[],
  defaultPurpose: row.default_purpose ?? undefined,
});

const infoOf = (row: TokenRow): TokenInfo => ({
  ...holderOf(row),
  label: row.label,
  createdAt: row.created_at,
  expiresAt: row.expires_at ?? undefined,
  revokedAt: row.revoked_at ?? undefined,
});
