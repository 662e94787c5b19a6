import { createHash } from 'node:crypto';
import type { JWTPayload, JWTVerifyGetKey } from 'jose';
import { createRemoteJWKSet, errors, jwtVerify } from 'jose';
import type { ActorId, Clock, Setting } from '#kernel';
import { MakulerError, newId } from '#kernel';
import type { Pool } from '#postgres';
import type { TokenHolder, TokenRole } from './tokens.js';
import { TOKEN_ROLES } from './tokens.js';

/** Whoever can answer for these addresses makes tokens: nobody on the way may, so it is TLS, or this very machine. */
const isSafe = (address: string): boolean => {
  if (!URL.canParse(address)) return false;
  const { protocol, hostname } = new URL(address);
  return protocol === 'https:' || (protocol === 'http:' && /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname));
};

/** The provider's address in a configuration. */
export const oidcIssuer: Setting<string> = {
  parse: (text) => (isSafe(text) ? text : undefined),
  valid: 'the address of an OpenID Connect provider, https:// (http:// on this machine only)',
};

/** Whose bearer tokens are taken beside our own. */
export interface OidcSettings {
  /** The provider, exactly as it calls itself (`iss`); its configuration is found below it (OpenID Connect Discovery 1.0). */
  readonly issuer: string;
  /** What the token must be meant for (`aud`). */
  readonly audience: string;
  /** Where its roles stand, dots for nesting: `roles`, `realm_access.roles`. Ours are taken, others are passed over. */
  readonly roleClaim: string;
  /** What the token must say it is (`typ`), e.g. `at+jwt` (RFC 9068 § 2.1): an ID token is none. Any when undefined. */
  readonly tokenType: string | undefined;
}

/** Signatures only: a provider's public key must never be taken for a secret. */
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'];
const TOLERANCE_S = 30;
const WITHIN_MS = 5_000;

/** Bearer tokens of an OpenID Connect provider. What is kept of a person is a random actor id and a hash of who they are there. */
export class OidcTokens {
  #keys: Promise<JWTVerifyGetKey> | undefined;

  constructor(
    private readonly control: Pool,
    private readonly clock: Clock,
    private readonly settings: OidcSettings,
  ) {}

  /**
   * Whom the token speaks for; undefined when it is not good, whatever the reason. Throws `identity-provider-unavailable`
   * when the provider can't be asked for its keys: a good token must not look like a bad one then.
   */
  async verify(token: string): Promise<TokenHolder | undefined> {
    const payload = await this.#payload(token);
    if (payload?.sub === undefined) return undefined;
    const actorId = await this.#actorOf(payload.sub);
    return { tokenId: actorId, actorId, roles: this.#rolesIn(payload), defaultPurpose: undefined };
  }

  async #payload(token: string): Promise<JWTPayload | undefined> {
    const { issuer, audience, tokenType: typ } = this.settings;
    try {
      const { payload } = await jwtVerify(token, await this.#keySet(), {
        ...{ issuer, audience, algorithms: ALGORITHMS, clockTolerance: TOLERANCE_S },
        ...{ currentDate: this.clock.now(), requiredClaims: ['sub', 'exp'], ...(typ !== undefined && { typ }) },
      });
      return payload;
    } catch (error) {
      if (error instanceof MakulerError) throw error;
      if (error instanceof errors.JWKSTimeout || !(error instanceof errors.JOSEError)) throw away(error);
      return undefined;
    }
  }

  #keySet(): Promise<JWTVerifyGetKey> {
    // An outage is not remembered: the next one who comes asks again.
    return (this.#keys ??= this.#discover().catch((error: unknown) => {
      this.#keys = undefined;
      throw away(error);
    }));
  }

  async #discover(): Promise<JWTVerifyGetKey> {
    const { issuer } = this.settings;
    const address = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
    const answer = await fetch(address, { signal: AbortSignal.timeout(WITHIN_MS), redirect: 'error' });
    const document = (await answer.json()) as { issuer?: unknown; jwks_uri?: unknown };
    if (!answer.ok || document.issuer !== issuer || typeof document.jwks_uri !== 'string' || !isSafe(document.jwks_uri))
      throw new Error('this is not the configuration of the issuer');
    return createRemoteJWKSet(new URL(document.jwks_uri), { timeoutDuration: WITHIN_MS });
  }

  #rolesIn(payload: JWTPayload): readonly TokenRole[] {
    let claim: unknown = payload;
    for (const name of this.settings.roleClaim.split('.'))
      claim = typeof claim === 'object' && claim !== null ? (claim as Record<string, unknown>)[name] : undefined;
    const given = typeof claim === 'string' ? claim.split(' ') : Array.isArray(claim) ? claim : [];
    return TOKEN_ROLES.filter((role) => given.includes(role));
  }

  /** The same person has the same actor: four eyes compares them. */
  async #actorOf(subject: string): Promise<ActorId> {
    const who = createHash('sha256').update(`${this.settings.issuer}\n${subject}`).digest();
    const { rows } = await this.control.query<{ actor_id: ActorId }>({
      name: 'oidc-actor',
      text: `with known as (select actor_id from oidc_actor where who = $1),
                  made as (insert into oidc_actor (who, actor_id) select $1, $2 where not exists (select from known)
                           on conflict (who) do update set who = excluded.who returning actor_id)
             select actor_id from known union all select actor_id from made`,
      values: [who, newId()],
    });
    return rows[0]!.actor_id;
  }
}

const away = (cause: unknown): MakulerError =>
  cause instanceof MakulerError ? cause : new MakulerError('identity-provider-unavailable', { cause });
