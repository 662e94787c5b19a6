import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import type { ConfigurationError } from '#kernel';
import { readConfig as readApi } from '../../apps/api/src/config.js';
import { STOP_MS } from '#observability';
import { flagsOf } from '../../apps/cli/src/up/flags.js';
import { CHILD_PATIENCE_MS } from '../../apps/cli/src/up/system.js';
import { readConfig as readProjector } from '../../apps/projector/src/config.js';
import { readVaultConfiguration } from '../../apps/vault/src/config.js';
import { readConfig as readWorker } from '../../apps/worker/src/config.js';
import { compose, PROGRAMS } from './compose.js';

const CONFIGURATIONS: Readonly<Record<string, () => unknown>> = {
  vault: () => readVaultConfiguration({}),
  api: readApi,
  projector: readProjector,
  worker: readWorker,
};
/** The settings that an app misses in an empty environment. */
const needed = (app: string): string[] => {
  try {
    CONFIGURATIONS[app]!();
  } catch (error) {
    const { problems } = error as ConfigurationError;
    return problems.flatMap((problem) => /^(\w+) is missing/.exec(problem)?.[1] ?? []);
  }
  return [];
};

/** `DATABASE_URL_FILE`, in the place of `DATABASE_URL`; `VAULT_KEY_FILE` is itself a setting. */
const isSecretFile = (name: string, environment: Readonly<Record<string, unknown>>) =>
  name.endsWith('_FILE') && String(environment[name]).startsWith('/run/secrets/');

describe('docker-compose.yml', () => {
  it('is of the form that the Compose Specification has', () => {
    const schema = JSON.parse(readFileSync('node_modules/dclint/schemas/compose.schema.json', 'utf8')) as object;
    // ajv knows the draft under its address with http.
    const { $schema: _, ...body } = schema as { $schema: string };
    const valid = new Ajv({ strict: false, allErrors: true, validateFormats: false }).compile(body);
    const problems = (file: unknown) => (valid(file) ? [] : valid.errors!.map((e) => `${e.instancePath} ${e.message}`));
    expect(problems(compose)).toEqual([]);
    expect(problems({ services: { api: { imag: 'makuler' } } })).toHaveLength(1);
  });

  it.each(PROGRAMS)(
    'gives %s every setting that it needs and none that it does not read, and its program',
    (name, app) => {
      const { command, environment = {} } = compose.services[name]!;
      expect(command).toEqual([...flagsOf(app), `dist/apps/${app}/src/main.js`]);
      expect(needed(app).length).toBeGreaterThan(3);
      const settings = Object.keys(environment).map((name) =>
        isSecretFile(name, environment) ? name.slice(0, -5) : name,
      );
      expect(settings).toEqual(expect.arrayContaining(needed(app)));
      const read = [`apps/${app}/src/config.ts`, 'libs/composition/src/settings.ts'].map((file) =>
        readFileSync(file, 'utf8'),
      );
      for (const setting of settings) expect(read.join()).toContain(`${setting}:`);
    },
  );

  it('gives passwords as files and in no other way, each to whom it concerns, all made by the script', () => {
    const used = Object.values(compose.services).flatMap(({ secrets = [], environment = {}, ...service }) => {
      const scripts = (service.configs ?? []).map(({ source }) => compose.configs[source]!);
      const named = [...JSON.stringify([environment, service, scripts]).matchAll(/\/run\/secrets\/([\w-]+)/g)].map(
        ([, name]) => name!,
      );
      expect([...new Set(named)].toSorted()).toEqual([...secrets].toSorted());
      return secrets;
    });
    expect([...new Set(used)].toSorted()).toEqual(Object.keys(compose.secrets).toSorted());
    const script = readFileSync('deploy/make-secrets.sh', 'utf8');
    for (const [name, { file }] of Object.entries(compose.secrets)) {
      expect(file).toBe(`deploy/secrets/${name}`);
      expect(script).toMatch(new RegExp(`^(keep|password) ${name} `, 'm'));
    }
    // KurrentDB's first passwords are the only ones in an environment, and none stands in this file or beside it.
    expect(readFileSync('docker-compose.yml', 'utf8')).not.toMatch(/\$\{|:\/\/[^/]*:[^/]*@/);
    expect(readFileSync('.gitignore', 'utf8')).toContain('deploy/secrets/');
  });

  it('makes the login of analysts after the databases, by the group’s own file, with the limits that makuler up sets', () => {
    const { configs = [] } = compose.services['postgres']!;
    expect(configs.map(({ source }) => source)).toEqual(['databases', 'analyst', 'analyst-role']);
    const [databases, analyst, role] = configs.map(({ target }) => target);
    expect([databases, analyst].toSorted()).toEqual([databases, analyst]);
    const { content = '' } = compose.configs['analyst']!;
    expect(content).toContain(`-f ${role}`);
    expect(readFileSync(compose.configs['analyst-role']!.file!, 'utf8')).toContain(
      'create role makuler_analyst nologin',
    );
    const limits = readFileSync('libs/postgres/src/embedded/databases.ts', 'utf8');
    for (const [, setting] of limits.matchAll(/alter role \$\{role\} (.*)`/g)) expect(content).toContain(setting!);
  });

  it('has two of each: what is active has a standby, and clients know every vault by name', () => {
    for (const app of ['api', 'projector', 'worker']) expect(compose.services[app]!.deploy?.replicas).toBe(2);
    const { command: _, ...a } = compose.services['vault-a']!;
    const { command: __, ...b } = compose.services['vault-b']!;
    expect(a).toEqual(b);
    for (const app of ['api', 'projector', 'worker'])
      expect(compose.services[app]!.environment!['VAULT_ADDRESS']).toBe('vault-a:2114,vault-b:2114');
    expect(compose.services['certificates']!.command!.join(' ')).toContain('--vault-host vault-a vault-b ');
  });

  it('kills nobody, nor does makuler up, before what is under way may have ended', () => {
    const given = PROGRAMS.flatMap(([name]) => compose.services[name]!.stop_grace_period ?? []);
    const patience = [...given.map((period) => Number.parseInt(period, 10) * 1_000), CHILD_PATIENCE_MS];
    for (const ms of patience) expect(ms).toBeGreaterThan(STOP_MS);
  });

  it('lets no program of ours be root of anything, and starts each again when it ends', () => {
    for (const [name] of PROGRAMS)
      expect(compose.services[name]).toMatchObject({
        ...{ read_only: true, cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'], ulimits: { core: 0 } },
        ...{ restart: 'unless-stopped', stop_grace_period: '30s' },
      });
    for (const name of ['certificates', 'cli'])
      expect(compose.services[name]).toMatchObject({ read_only: true, cap_drop: ['ALL'], restart: 'no' });
  });

  it('names a version of each image that others made', () => {
    for (const { image = '' } of Object.values(compose.services)) if (image !== 'makuler') expect(image).toMatch(/:\d/);
  });

  it('declares every volume that is mounted, every network that is joined and every service that is waited for', () => {
    for (const { volumes = [], networks = [], depends_on = {} } of Object.values(compose.services)) {
      for (const volume of volumes) expect(compose.volumes).toHaveProperty(volume.split(':')[0]!);
      for (const network of networks) expect(compose.networks).toHaveProperty(network);
      for (const other of Object.keys(depends_on)) expect(compose.services).toHaveProperty(other);
    }
  });

  it('has the command line for people, with what its commands read where there is no home', () => {
    const { entrypoint, profiles, environment = {} } = compose.services['cli']!;
    expect([entrypoint, profiles]).toEqual([['node', 'dist/apps/cli/src/main.js'], ['cli']]);
    const table = readFileSync('docs/operations.md', 'utf8').matchAll(/^\| `(\w+)`[^|]*\| cli /gm);
    const read = [...table].map(([, name]) => name!).filter((name) => !name.startsWith('MAKULER_'));
    const given = Object.keys(environment).map((name) => (isSecretFile(name, environment) ? name.slice(0, -5) : name));
    expect(given.toSorted()).toEqual(read.toSorted());
  });
});
