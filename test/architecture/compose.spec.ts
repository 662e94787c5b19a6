import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import { parse } from 'yaml';
import type { ConfigurationError } from '#kernel';
import { readConfig as readApi } from '../../apps/api/src/config.js';
import { readConfig as readProjector } from '../../apps/projector/src/config.js';
import { readVaultConfiguration } from '../../apps/vault/src/config.js';
import { readConfig as readWorker } from '../../apps/worker/src/config.js';

interface Service {
  readonly image?: string;
  readonly restart?: string;
  readonly deploy?: { readonly replicas?: number };
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, unknown>>;
  readonly volumes?: readonly string[];
  readonly depends_on?: Readonly<Record<string, unknown>>;
}
interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

const compose = parse(readFileSync('docker-compose.yml', 'utf8'), { merge: true }) as Compose;
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

/** Services, each with the program that it runs. */
const PROGRAMS = [
  ['vault-a', 'vault'],
  ['vault-b', 'vault'],
  ['api', 'api'],
  ['projector', 'projector'],
  ['worker', 'worker'],
] as const;

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
      expect(command).toEqual([`dist/apps/${app}/src/main.js`]);
      expect(needed(app).length).toBeGreaterThan(3);
      expect(Object.keys(environment)).toEqual(expect.arrayContaining(needed(app)));
      const read = [`apps/${app}/src/config.ts`, 'libs/composition/src/settings.ts'].map((file) =>
        readFileSync(file, 'utf8'),
      );
      for (const setting of Object.keys(environment)) expect(read.join()).toContain(`${setting}:`);
    },
  );

  it('has two of each: what is active has a standby, and clients know every vault by name', () => {
    for (const app of ['api', 'projector', 'worker']) expect(compose.services[app]!.deploy?.replicas).toBe(2);
    const { command: _, ...a } = compose.services['vault-a']!;
    const { command: __, ...b } = compose.services['vault-b']!;
    expect(a).toEqual(b);
    for (const app of ['api', 'projector', 'worker'])
      expect(compose.services[app]!.environment!['VAULT_ADDRESS']).toBe('vault-a:2114,vault-b:2114');
    expect(compose.services['certificates']!.command!.join(' ')).toContain('--vault-host vault-a vault-b ');
  });

  it('lets no program of ours be root of anything, and starts each again when it ends', () => {
    for (const [name] of PROGRAMS)
      expect(compose.services[name]).toMatchObject({
        ...{ read_only: true, cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'], ulimits: { core: 0 } },
        restart: 'unless-stopped',
      });
  });

  it('names a version of each image that others made', () => {
    for (const { image = '' } of Object.values(compose.services)) if (image !== 'makuler') expect(image).toMatch(/:\d/);
  });

  it('declares every volume that is mounted and every service that is waited for', () => {
    for (const { volumes = [], depends_on = {} } of Object.values(compose.services)) {
      for (const volume of volumes) expect(compose.volumes).toHaveProperty(volume.split(':')[0]!);
      for (const other of Object.keys(depends_on)) expect(compose.services).toHaveProperty(other);
    }
  });

  it('gives the custodian to the vault alone, and lets no other process have its database', () => {
    for (const [name, { volumes = [], environment = {} }] of Object.entries(compose.services)) {
      if (name.startsWith('vault-') && name !== 'vault-postgres') continue;
      expect(volumes.filter((volume) => volume.startsWith('custodian'))).toEqual([]);
      expect(Object.keys(environment)).not.toContain('VAULT_DATABASE_URL');
    }
  });
});
