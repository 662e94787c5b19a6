import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, posix } from 'node:path';
import * as x509 from '@peculiar/x509';
import { createProgram } from '../../apps/cli/src/program.js';
import { compose, PROGRAMS } from './compose.js';

const servicesWith = (key: 'secrets' | 'networks', value: string) =>
  Object.keys(compose.services).filter((name) => compose.services[name]![key]?.includes(value));
const mountsOf = (service: string) =>
  (compose.services[service]!.volumes ?? []).map((volume) => {
    const [name = '', at = '', mode] = volume.split(':');
    return { name, at, mode };
  });

describe('the certificates that docker-compose.yml has made', () => {
  let home: string;
  const { write } = process.stdout;
  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'makuler-compose-'));
    const [, ...words] = compose.services['certificates']!.command!;
    process.stdout.write = () => true;
    await createProgram().parseAsync(
      words.map((word) => (word === '/issued' ? home : word)),
      { from: 'user' },
    );
  });
  afterAll(async () => {
    process.stdout.write = write;
    await rm(home, { recursive: true });
  });

  /** Where on this machine lies what the service sees under `path`; `undefined` when it sees nothing that was issued there. */
  const seen = (service: string, path: string): string | undefined => {
    for (const { name, at } of mountsOf(service)) {
      const source = mountsOf('certificates').find((mount) => mount.name === name);
      if (source && (path === at || path.startsWith(`${at}/`)))
        return join(home, posix.relative('/issued', source.at), posix.relative(at, path));
    }
    return undefined;
  };
  const read = (service: string, path: unknown) => readFileSync(seen(service, String(path))!);
  /** The names of all files with keys that the service sees. */
  const keysOf = (service: string): string[] =>
    mountsOf(service)
      .flatMap(({ at }) => seen(service, at) ?? [])
      .flatMap((directory) => readdirSync(directory, { recursive: true, encoding: 'utf8' }))
      .filter((name) => name.endsWith('.key'));

  it('all lie in volumes: none in the container that made them', () => {
    const mounted = mountsOf('certificates').map(({ at }) => posix.relative('/issued', at));
    expect(mounted.toSorted()).toEqual(readdirSync(home).toSorted());
    // A volume takes the owner of the directory in the image.
    for (const { at } of mountsOf('certificates')) expect(readFileSync('Dockerfile', 'utf8')).toContain(` ${at}`);
  });

  it('show each program its own key and no other, and the authority’s to nobody', () => {
    const own: Record<string, string> = { ...Object.fromEntries(PROGRAMS), kurrentdb: 'event-node', cli: 'cli' };
    for (const name of Object.keys(compose.services)) {
      if (name === 'certificates') continue;
      expect([name, ...keysOf(name)]).toEqual([name, ...(name in own ? [`${own[name]}.key`] : [])]);
      for (const { name: volume, mode } of mountsOf(name))
        if (volume.endsWith('-certificate')) expect([name, mode]).toEqual([name, 'ro']);
    }
    expect(keysOf('certificates')).toContain('ca.key');
  });

  it('lie where each program is told that they are, and name it', () => {
    for (const [service, app] of [...PROGRAMS, ['cli', 'cli'] as const]) {
      const { environment = {} } = compose.services[service]!;
      const role = app === 'vault' ? 'VAULT' : 'VAULT_CLIENT';
      const certificate = new X509Certificate(read(service, environment[`${role}_CERT_FILE`]));
      expect(certificate.subject).toBe(`CN=${app}`);
      expect(certificate.checkPrivateKey(createPrivateKey(read(service, environment[`${role}_KEY_FILE`])))).toBe(true);
      const ca = new X509Certificate(read(service, environment['VAULT_CA_FILE']));
      expect(certificate.verify(ca.publicKey)).toBe(true);
    }
    const script = readFileSync('deploy/make-secrets.sh', 'utf8');
    const [, trusted] = /tlsCAFile=([\w/.]+)/.exec(script)!;
    for (const service of servicesWith('secrets', 'eventstore-url'))
      expect(existsSync(seen(service, trusted!)!)).toBe(true);
  });

  it('let KurrentDB start: an RSA key, a node’s usages, its name, and a directory of authorities alone', () => {
    const { environment = {} } = compose.services['kurrentdb']!;
    const pem = read('kurrentdb', environment['KURRENTDB_CERTIFICATE_FILE']);
    const key = createPrivateKey(read('kurrentdb', environment['KURRENTDB_CERTIFICATE_PRIVATE_KEY_FILE']));
    const certificate = new X509Certificate(pem);
    expect([key.asymmetricKeyType, certificate.checkPrivateKey(key)]).toEqual(['rsa', true]);
    expect(createPublicKey(key).equals(certificate.publicKey)).toBe(true);
    const issued = new x509.X509Certificate(pem);
    const { digitalSignature, keyEncipherment } = x509.KeyUsageFlags;
    expect(issued.getExtension(x509.KeyUsagesExtension)!.usages).toBe(digitalSignature | keyEncipherment);
    const { serverAuth, clientAuth } = x509.ExtendedKeyUsage;
    expect(issued.getExtension(x509.ExtendedKeyUsageExtension)!.usages).toEqual([serverAuth, clientAuth]);
    expect(certificate.subject).toBe(`CN=${environment['KURRENTDB_CERTIFICATE_RESERVED_NODE_COMMON_NAME']}`);
    const [, host] = /@([\w.]+):2113/.exec(readFileSync('deploy/make-secrets.sh', 'utf8'))!;
    expect([host! in compose.services, certificate.checkHost(host!)]).toEqual([true, host]);

    const directory = seen('kurrentdb', String(environment['KURRENTDB_TRUSTED_ROOT_CERTIFICATES_PATH']))!;
    expect(readdirSync(directory)).toEqual(['ca.crt']);
    const ca = new X509Certificate(readFileSync(join(directory, 'ca.crt')));
    expect([ca.subject === ca.issuer, ca.ca, certificate.verify(ca.publicKey)]).toEqual([true, true, true]);
  });
});

describe('what docker-compose.yml lets somebody in a program reach', () => {
  it('is no server’s administrator: a role and a password for each database', () => {
    for (const server of ['postgres', 'vault-postgres']) {
      const { environment = {}, secrets = [], configs = [] } = compose.services[server]!;
      expect(environment).toMatchObject({ POSTGRES_PASSWORD_FILE: `/run/secrets/${server}-password` });
      expect(environment).not.toHaveProperty('POSTGRES_USER');
      expect(servicesWith('secrets', `${server}-password`)).toEqual([server]);
      expect(configs.map(({ source }) => source)).toContain('databases');
      for (const file of String(environment['ROLE_PASSWORDS']).split(' '))
        expect(secrets).toContain(posix.basename(file));
    }
    expect(compose.configs['databases']!.content).not.toContain('POSTGRES_PASSWORD');
    const script = readFileSync('deploy/make-secrets.sh', 'utf8');
    const users = [...script.matchAll(/postgres:\/\/(\w+):\$(\w+)@([\w-]+)\/(\w+)"/g)].map(([, ...parts]) => parts);
    expect(users).toEqual([
      ['readmodels', 'READMODELS_PASSWORD', 'postgres', 'readmodels'],
      ['control', 'CONTROL_PASSWORD', 'postgres', 'control'],
      ['vault', 'VAULT_PASSWORD', 'vault-postgres', 'vault'],
    ]);
    const made = ['postgres', 'vault-postgres'].map(
      (server) => compose.services[server]!.environment!['ROLE_PASSWORDS'],
    );
    expect(made.join(' ')).toBe(users.map(([role]) => `/run/secrets/${role}-password`).join(' '));
  });

  it.each([
    ['vault-postgres', ['vault-a', 'vault-b']],
    ['kurrentdb', ['vault-a', 'vault-b', 'api', 'projector', 'worker', 'cli']],
    ['postgres', ['api', 'projector', 'worker', 'cli']],
    ['redis', ['projector', 'worker']],
  ])('has %s in one network, with those alone that have its password', (server, clients) => {
    const { networks = [] } = compose.services[server]!;
    expect(networks).toHaveLength(1);
    expect(servicesWith('networks', networks[0]!).toSorted()).toEqual([server, ...clients].toSorted());
    const url = { 'vault-postgres': 'vault-database-url', kurrentdb: 'eventstore-url', redis: 'redis-url' };
    const secret = url[server as keyof typeof url] ?? 'control-database-url';
    expect(servicesWith('secrets', secret).toSorted()).toEqual(clients.toSorted());
  });

  it('is the custodian for the vaults alone', () => {
    for (const custodian of ['custodian-a', 'custodian-b']) {
      const mounting = Object.keys(compose.services).filter((name) =>
        mountsOf(name).some((mount) => mount.name === custodian),
      );
      expect([custodian, ...mounting]).toEqual([custodian, 'vault-a', 'vault-b']);
    }
  });

  it('has a network for everybody, and a way out for nobody who holds keys', () => {
    for (const [name, { networks, network_mode, ports }] of Object.entries(compose.services)) {
      expect([name, networks === undefined]).toEqual([name, network_mode === 'none']);
      expect([name, ports !== undefined]).toEqual([name, name === 'api']);
    }
    for (const vault of ['vault-a', 'vault-b'])
      for (const network of compose.services[vault]!.networks!)
        expect([network, compose.networks[network]?.internal]).toEqual([network, true]);
    expect(servicesWith('networks', 'vault')).toEqual(['vault-a', 'vault-b', 'api', 'projector', 'worker', 'cli']);
  });

  it('has no user of KurrentDB with the password that it comes with', () => {
    const script = readFileSync('deploy/make-secrets.sh', 'utf8');
    for (const [user, variable] of [
      ['ADMIN', 'EVENTSTORE_PASSWORD'],
      ['OPS', 'EVENTSTORE_OPS_PASSWORD'],
    ])
      expect(script).toContain(`KURRENTDB_DEFAULT_${user}_PASSWORD=$${variable}`);
  });
});
