import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import type { ConfigurationError } from '#kernel';
import { readConfig as readApi } from '../../apps/api/src/config.js';
import { readConfig as readProjector } from '../../apps/projector/src/config.js';
import { readVaultConfiguration } from '../../apps/vault/src/config.js';
import { readConfig as readWorker } from '../../apps/worker/src/config.js';

interface Service {
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

describe('docker-compose.yml', () => {
  it.each(['vault', 'api', 'projector', 'worker'])(
    'gives %s every setting that it needs, and its own program',
    (app) => {
      const service = compose.services[app]!;
      expect(service.command).toEqual([`dist/apps/${app}/src/main.js`]);
      expect(needed(app).length).toBeGreaterThan(3);
      expect(Object.keys(service.environment ?? {})).toEqual(expect.arrayContaining(needed(app)));
    },
  );

  it('declares every volume that is mounted and every service that is waited for', () => {
    for (const { volumes = [], depends_on = {} } of Object.values(compose.services)) {
      for (const volume of volumes) expect(compose.volumes).toHaveProperty(volume.split(':')[0]!);
      for (const other of Object.keys(depends_on)) expect(compose.services).toHaveProperty(other);
    }
  });

  it('gives the custodian to the vault alone, and lets no other process have its database', () => {
    for (const [name, { volumes = [], environment = {} }] of Object.entries(compose.services)) {
      if (name === 'vault') continue;
      expect(volumes.filter((volume) => volume.startsWith('custodian'))).toEqual([]);
      expect(Object.keys(environment)).not.toContain('VAULT_DATABASE_URL');
    }
  });
});
