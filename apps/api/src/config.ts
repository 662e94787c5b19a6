import { PARTS_SETTINGS } from '#composition';
import type { Setting } from '#kernel';
import type { OidcSettings } from '#tokens';
import { oidcIssuer } from '#tokens';
import type { RateLimitSettings } from './access/rate-limits.js';
import { DEFAULT_RATE_LIMITS } from './access/rate-limits.js';
import { optional, optionalText, port, readConfiguration, text } from '#kernel';

const perMinute = (fallback: number): Setting<number> => ({
  parse: (value) => (/^\d{1,9}$/.test(value) ? Number(value) : undefined),
  valid: 'requests within a minute; 0 for as many as come',
  fallback,
});

/** Every variable that this program reads; docs/operations.md explains them (a spec compares). */
export const SETTINGS = {
  ...PARTS_SETTINGS,
  HOST: text('an address to listen on', '127.0.0.1'),
  PORT: port(3000),
  MAKULER_HOME: optionalText('the directory of this installation'),
  OIDC_ISSUER: optional(oidcIssuer),
  OIDC_AUDIENCE: text('what its tokens must be meant for', 'makuler'),
  OIDC_ROLE_CLAIM: text('where its tokens name roles: roles, realm_access.roles', 'roles'),
  OIDC_TOKEN_TYPE: optionalText('what its tokens must say they are: at+jwt'),
  RATE_LIMIT_ADDRESS: perMinute(DEFAULT_RATE_LIMITS.address),
  RATE_LIMIT_TOKEN: perMinute(DEFAULT_RATE_LIMITS.token),
  RATE_LIMIT_LOOKUPS: perMinute(DEFAULT_RATE_LIMITS.lookups),
};

/** The api's configuration; the only place that reads its environment. Throws ConfigurationError with every problem at once. */
export const readConfig = () => readConfiguration(process.env, SETTINGS);

/** The provider of bearer tokens, if one is configured. */
export const oidcOf = (config: ApiConfig): OidcSettings | undefined =>
  config.OIDC_ISSUER === undefined
    ? undefined
    : {
        ...{ issuer: config.OIDC_ISSUER, audience: config.OIDC_AUDIENCE },
        ...{ roleClaim: config.OIDC_ROLE_CLAIM, tokenType: config.OIDC_TOKEN_TYPE },
      };

/** The limits of this configuration, as the api takes them. */
export const rateLimitsOf = (config: ApiConfig): RateLimitSettings => ({
  address: config.RATE_LIMIT_ADDRESS,
  token: config.RATE_LIMIT_TOKEN,
  lookups: config.RATE_LIMIT_LOOKUPS,
});

export type ApiConfig = ReturnType<typeof readConfig>;
