import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

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
const configOf = (app: string): string => readFileSync(`apps/${app}/src/config.ts`, 'utf8');
/** The settings that an app reads and that have no default. */
const needed = (app: string): string[] => {
  const parts = configOf(app).includes('...PARTS_SETTINGS')
    ? readFileSync('libs/composition/src/settings.ts', 'utf8')
    : '';
  const settings = [...`${configOf(app)}${parts}`.matchAll(/^\s+([A-Z][A-Z_]+): (.*)$/gm)];
  return settings.flatMap(([, name, how]) =>
    /optional|port\(\d|, ['\d]|milliseconds|duration/.test(how!) ? [] : [name!],
  );
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
