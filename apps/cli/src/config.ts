/**
 * The one file of this program that reads `process.env`. Everything else gets what it needs from here, as flags of
 * `makuler` or as the beginning of a child's environment.
 */
export const environment: Readonly<Record<string, string | undefined>> = process.env;

/** Whether and where traces go (https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables). */
const OPENTELEMETRY = [
  ...['OTEL_SDK_DISABLED', 'OTEL_SERVICE_NAME', 'OTEL_RESOURCE_ATTRIBUTES', 'OTEL_TRACES_EXPORTER'],
  ...['OTEL_TRACES_SAMPLER', 'OTEL_TRACES_SAMPLER_ARG'],
  ...['', '_TRACES'].flatMap((of) =>
    [
      'ENDPOINT',
      'PROTOCOL',
      'HEADERS',
      'TIMEOUT',
      'COMPRESSION',
      'CERTIFICATE',
      'CLIENT_CERTIFICATE',
      'CLIENT_KEY',
    ].map((name) => `OTEL_EXPORTER_OTLP${of}_${name}`),
  ),
];

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
  'OIDC_TOKEN_TYPE',
  ...OPENTELEMETRY,
] as const;

export const baseEnv = (): Record<string, string> => {
  const kept = INHERITED.flatMap((name) =>
    environment[name] === undefined ? [] : [[name, environment[name]] as const],
  );
  return { ...Object.fromEntries(kept), NODE_ENV: 'production', TZ: 'UTC' };
};
