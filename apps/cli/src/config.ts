/**
 * The one file of this program that reads `process.env`. Everything else gets what it needs from here, as flags of
 * `makuler` or as the beginning of a child's environment.
 */
export const environment: Readonly<Record<string, string | undefined>> = process.env;

/** What every child inherits; the rest of its environment is made for it. */
const INHERITED = [
  'PATH',
  'HOME',
  'TMPDIR',
  'LANG',
  'SSL_CERT_FILE',
  'RATE_LIMIT_ADDRESS',
  'RATE_LIMIT_TOKEN',
  'RATE_LIMIT_LOOKUPS',
  'OIDC_ISSUER',
  'OIDC_AUDIENCE',
  'OIDC_ROLE_CLAIM',
] as const;

export const baseEnv = (): Record<string, string> => {
  const kept = INHERITED.flatMap((name) =>
    environment[name] === undefined ? [] : [[name, environment[name]] as const],
  );
  return { ...Object.fromEntries(kept), NODE_ENV: 'production', TZ: 'UTC' };
};
