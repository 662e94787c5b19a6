import { resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import type { Setting } from '#kernel';
import {
  ConfigurationError,
  optional,
  optionalPort,
  optionalText,
  port,
  postgresUrl,
  readConfiguration,
  text,
} from '#kernel';
import { redisUrl } from '#jobs';
import { eventStoreUrl } from '#ledger';
import { action } from '../command.js';
import { baseEnv, environment } from '../config.js';
import { defaultCustodian, homeIn } from './home.js';
import type { ExternalServers, SystemOptions } from './options.js';
import { readyBlock } from './ready-block.js';
import { jsonSteps, plainSteps } from './steps.js';
import { System } from './system.js';

/** Read by the vault, which knows what it means; what is no time at all is told here, with everything else. */
const time: Setting<string | undefined> = {
  parse: (value) => (/^(0|\d{1,5}[smhd])$/.test(value) ? value : undefined),
  valid: 'a time like 30d, 12h or 10s',
  optional: true,
} as Setting<string | undefined>;

/** Every variable that `makuler up` reads, each a flag too; docs/operations.md explains them (a spec compares). */
export const SETTINGS = {
  MAKULER_HOME: text('a directory', './.makuler'),
  HOST: text('an address of this machine', '127.0.0.1'),
  PORT: port(3000),
  POLICY: text('a directory with a policy manifest', 'policy/jpi'),
  CUSTODIAN: optionalText('directories for the root keys, separated by commas'),
  VAULT_EPOCH_WINDOW: time,
  VAULT_SEAL_EVERY: time,
  BACKUP_DIR: optionalText('a directory for backups, outside the custodian'),
  METRICS_PORT: optionalPort(),
  REDIS_URL: optional(redisUrl),
  EVENTSTORE_URL: optional(eventStoreUrl),
  DATABASE_URL: optional(postgresUrl),
  CONTROL_DATABASE_URL: optional(postgresUrl),
  VAULT_DATABASE_URL: optional(postgresUrl),
};

/** The flag of each variable: `--home` for MAKULER_HOME. */
const FLAGS = {
  MAKULER_HOME: ['home', 'where everything is kept', 'DIR'],
  HOST: ['host', 'address of the API', 'ADDRESS'],
  PORT: ['port', 'port of the API; 0 picks a free one', 'N'],
  POLICY: ['policy', 'directory of the policy manifest', 'DIR'],
  CUSTODIAN: ['custodian', 'mirrors of the root keys, outside the home', 'DIRS'],
  VAULT_EPOCH_WINDOW: ['epoch-window', 'how long old backups of the vault open after a seal (30d)', 'TIME'],
  VAULT_SEAL_EVERY: ['seal-every', 'from one seal of the vault to the next (24h)', 'TIME'],
  BACKUP_DIR: ['backup-dir', 'where backups are written, every night and after each seal', 'DIR'],
  METRICS_PORT: ['metrics-port', 'where the worker shows its metrics to this machine (the API shows its own)', 'N'],
  REDIS_URL: ['redis-url', 'Redis for the jobs, instead of PostgreSQL', 'URL'],
  EVENTSTORE_URL: ['eventstore-url', 'KurrentDB instead of the embedded event node', 'URL'],
  DATABASE_URL: ['database-url', 'PostgreSQL of the read models', 'URL'],
  CONTROL_DATABASE_URL: ['control-database-url', 'PostgreSQL of tokens and jobs', 'URL'],
  VAULT_DATABASE_URL: ['vault-database-url', 'PostgreSQL of the key vault', 'URL'],
} as const satisfies Record<keyof typeof SETTINGS, readonly [string, string, string]>;

const EXTERNAL = ['EVENTSTORE_URL', 'DATABASE_URL', 'CONTROL_DATABASE_URL', 'VAULT_DATABASE_URL'] as const;

/** What `makuler up` is to run, from flags and environment; a flag wins. Throws ConfigurationError with every problem. */
export const systemOptions = (flags: Readonly<Record<string, string | undefined>>): SystemOptions => {
  const given = Object.entries(FLAGS).flatMap(([name, [flag]]): [string, string | undefined][] => {
    const text = flags[camelCase(flag)];
    const file = `${name}_FILE`;
    return text === undefined ? [name, file].map((variable) => [variable, environment[variable]]) : [[name, text]];
  });
  const values = readConfiguration(Object.fromEntries(given), SETTINGS);
  const home = homeIn(values.MAKULER_HOME);
  const external = externalOf(values);
  const custodian =
    values.CUSTODIAN?.split(',').map((mirror) => (mirror.includes(':') ? mirror : resolve(mirror))) ??
    defaultCustodian(home);
  const backupDirectory = values.BACKUP_DIR === undefined ? undefined : resolve(values.BACKUP_DIR);
  if (backupDirectory !== undefined && custodian.some((mirror) => isInside(backupDirectory, mirror)))
    throw new ConfigurationError(['BACKUP_DIR lies inside the custodian: give a directory outside of it']);
  return {
    home,
    host: values.HOST,
    port: values.PORT,
    policy: resolve(values.POLICY),
    custodian,
    baseEnv: baseEnv(),
    scriptOf: (app) => built(`apps/${app}/src/main.js`),
    preload: built('libs/observability/src/follow-parent.js'),
    ...(values.VAULT_EPOCH_WINDOW === undefined ? {} : { epochWindow: values.VAULT_EPOCH_WINDOW }),
    ...(values.VAULT_SEAL_EVERY === undefined ? {} : { sealEvery: values.VAULT_SEAL_EVERY }),
    ...(backupDirectory === undefined ? {} : { backupDirectory }),
    ...(values.METRICS_PORT === undefined ? {} : { metricsPort: values.METRICS_PORT }),
    ...(values.REDIS_URL === undefined ? {} : { redisUrl: values.REDIS_URL }),
    ...(external === undefined ? {} : { external }),
  };
};

const externalOf = (
  values: Readonly<Record<(typeof EXTERNAL)[number], string | undefined>>,
): ExternalServers | undefined => {
  const missing = EXTERNAL.filter((name) => values[name] === undefined);
  if (missing.length === EXTERNAL.length) return undefined;
  // Half of each would put the log and its keys into different installations.
  if (missing.length > 0)
    throw new ConfigurationError(
      missing.map((name) => `${name} is missing: with servers of your own, give all of ${EXTERNAL.join(', ')}`),
    );
  return {
    eventStoreUrl: values.EVENTSTORE_URL!,
    databaseUrl: values.DATABASE_URL!,
    controlDatabaseUrl: values.CONTROL_DATABASE_URL!,
    vaultDatabaseUrl: values.VAULT_DATABASE_URL!,
  };
};

const isInside = (directory: string, place: string): boolean => `${directory}${sep}`.startsWith(`${place}${sep}`);

/** The flags that `systemOptions` reads. `--home` is an option of every command. */
export const addSystemFlags = (command: Command): Command => {
  for (const [flag, description, value] of Object.values(FLAGS).slice(1))
    command.option(`--${flag} <${value}>`, description);
  return command;
};

const camelCase = (flag: string): string => flag.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());

/** A file of the build that this program is part of. */
const built = (path: string): string => fileURLToPath(new URL(`../../../../${path}`, import.meta.url));

/**
 * `makuler up`: runs until it is told to stop. `instead` is for mains under test/, which run other scripts with another
 * clock; the shipped program gives nothing.
 */
export const registerUp = (program: Command, instead: Partial<SystemOptions> = {}): void => {
  const command = program.command('up').description('start the whole system and keep it running until Ctrl-C');
  addSystemFlags(command).action(
    action<Record<string, string | undefined>, []>(async ({ output, options }) => {
      const write = (line: string) => void process.stdout.write(`${line}\n`);
      await run({ ...systemOptions(options), ...instead }, output.json ? jsonSteps(write) : plainSteps(write));
    }),
  );
};

const ECHO_MS = 1_000;

const run = async (options: SystemOptions, steps: ReturnType<typeof plainSteps>): Promise<void> => {
  const begun = performance.now();
  const system = new System(options, steps);
  const told = new Promise<'told'>((tell) => {
    let toldAt: number | undefined;
    const hear = () => {
      toldAt ??= performance.now();
      tell('told');
      // Told again, it ends at once: the children notice, and every acknowledged thing is safe without a clean stop. At a
      // terminal `npm start` passes a Ctrl-C on that was heard already: that is not again.
      if (performance.now() - toldAt > ECHO_MS) process.exit(1);
    };
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, hear);
  });
  try {
    const addresses = await Promise.race([system.start(), told]);
    if (addresses === 'told') return;
    const ms = performance.now() - begun;
    steps.ready(
      { ...addresses, home: options.home.directory, tokens: options.home.tokens, ms: Math.round(ms) },
      readyBlock(options, addresses, ms),
    );
    await told;
  } finally {
    await system.stop();
  }
};
