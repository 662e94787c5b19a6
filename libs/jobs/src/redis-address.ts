import { readFileSync } from 'node:fs';
import type { Setting } from '#kernel';
import { InvalidSetting, secret } from '#kernel';

export interface RedisHost {
  readonly host: string;
  readonly port: number;
}

export interface RedisTls {
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
}

interface Credentials {
  readonly username?: string;
  readonly password?: string;
}

/** Where Redis is, and how it is spoken to. */
export type RedisAddress = { readonly credentials: Credentials; readonly tls?: RedisTls } & (
  | { readonly kind: 'server'; readonly at: RedisHost; readonly database: number }
  | {
      readonly kind: 'sentinel';
      readonly sentinels: readonly RedisHost[];
      /** What the sentinels call the group whose primary is wanted. */
      readonly group: string;
      readonly database: number;
      readonly sentinelCredentials: Credentials;
    }
  | { readonly kind: 'cluster'; readonly seeds: readonly RedisHost[] }
);

const ADDRESS = /^redis(s?)(?:\+(sentinel|cluster))?:\/\/(?:([^@/?]*)@)?([^@/?]+)(?:\/([^?]*))?(?:\?(.*))?$/;
const HOST = /^(?:\[([0-9a-f:]+)\]|([a-z0-9](?:[a-z0-9._-]*[a-z0-9])?))(?::(\d{1,5}))?$/i;
const TLS_FILES = { tlsCAFile: 'ca', tlsCertFile: 'cert', tlsKeyFile: 'key' } as const;

/**
 * Reads an address, and the TLS files that it names. Throws InvalidSetting, which holds nothing of the address.
 *
 * - `redis://user:password@host:6379/0`: one server. `rediss` instead of `redis`: over TLS, in every form
 * - `redis+sentinel://user:password@host:26379,host:26379/GROUP/0`: the primary that these sentinels name
 * - `redis+cluster://user:password@host:6379,host:6379`: a cluster, asked at any of these nodes
 *
 * User, password, ports and database may be left out. Options: `tlsCAFile`, `tlsCertFile` with `tlsKeyFile` (PEM; over TLS),
 * `sentinelUsername` and `sentinelPassword`, if the sentinels themselves ask for one.
 */
export const parseRedisUrl = (address: string): RedisAddress => {
  const [, s, form, userInfo, hosts, path = '', query] = ADDRESS.exec(address) ?? [];
  if (hosts === undefined) throw new InvalidSetting('it does not have the parts of such an address');
  const options = optionsIn(query);
  const tls = s === 's' ? { tls: tlsFrom(options) } : {};
  if (s !== 's' && Object.keys(TLS_FILES).some((name) => options.has(name)))
    throw new InvalidSetting('files for TLS are given, and no TLS: begin with rediss');
  const all = { credentials: credentialsIn(userInfo), ...tls };
  if (form !== 'sentinel' && (options.has('sentinelUsername') || options.has('sentinelPassword')))
    throw new InvalidSetting('sentinelUsername and sentinelPassword belong to an address with +sentinel');
  if (form === 'sentinel') {
    const [group, database, ...rest] = path.split('/');
    if (!group || rest.length > 0) throw new InvalidSetting('after the sentinels stands /GROUP, or /GROUP/DATABASE');
    const sentinels = hostsIn(hosts, 26_379);
    const sentinelCredentials = named(options.get('sentinelUsername'), options.get('sentinelPassword'));
    const about = { sentinels, group: decoded(group), database: databaseIn(database), sentinelCredentials };
    return { kind: 'sentinel', ...about, ...all };
  }
  if (form === 'cluster') {
    if (path !== '') throw new InvalidSetting('a cluster has one database: nothing stands after its nodes');
    return { kind: 'cluster', seeds: hostsIn(hosts, 6_379), ...all };
  }
  const [at, ...others] = hostsIn(hosts, 6_379);
  if (others.length > 0) throw new InvalidSetting('several hosts need +sentinel or +cluster');
  return { kind: 'server', at: at!, database: databaseIn(path), ...all };
};

const hostsIn = (hosts: string, standardPort: number): readonly RedisHost[] =>
  hosts.split(',').map((text) => {
    const [, ip6, name, port = String(standardPort)] = HOST.exec(text) ?? [];
    const host = ip6 ?? name;
    if (host === undefined || Number(port) > 65_535 || Number(port) === 0)
      throw new InvalidSetting('hosts are names or addresses with or without a port, separated by commas');
    return { host, port: Number(port) };
  });

const databaseIn = (text = ''): number => {
  if (!/^\d{0,4}$/.test(text)) throw new InvalidSetting('the database is a number');
  return Number(text);
};

const credentialsIn = (userInfo: string | undefined): Credentials => {
  const [user, password, ...rest] = userInfo?.split(':') ?? [];
  if (userInfo !== undefined && (!password || rest.length > 0))
    throw new InvalidSetting(
      'before the @ stand user:password or :password, with other signs than letters and digits as %XX',
    );
  return named(user, password);
};

const named = (username = '', password = ''): Credentials => ({
  ...(username === '' ? {} : { username: decoded(username) }),
  ...(password === '' ? {} : { password: decoded(password) }),
});

const optionsIn = (query: string | undefined): ReadonlyMap<string, string> => {
  const options = new Map<string, string>();
  for (const pair of query?.split('&') ?? []) {
    const [, name, value] = /^([^=]+)=(.+)$/.exec(pair) ?? [];
    const known = name !== undefined && (name in TLS_FILES || /^sentinel(Username|Password)$/.test(name));
    if (!known || value === undefined)
      throw new InvalidSetting(
        `after the ? stand option=value pairs; options are ${Object.keys(TLS_FILES).join(', ')}, sentinelUsername, sentinelPassword`,
      );
    if (options.has(name)) throw new InvalidSetting(`${name} is given twice`);
    options.set(name, value);
  }
  return options;
};

const tlsFrom = (options: ReadonlyMap<string, string>): RedisTls => {
  if (options.has('tlsCertFile') !== options.has('tlsKeyFile'))
    throw new InvalidSetting('tlsCertFile and tlsKeyFile go together');
  const files = Object.entries(TLS_FILES).flatMap(([name, as]) => {
    const path = options.get(name);
    return path === undefined ? [] : [[as, contentOf(name, decoded(path))] as const];
  });
  return Object.fromEntries(files);
};

const contentOf = (name: string, path: string): Buffer => {
  try {
    return readFileSync(path);
  } catch {
    throw new InvalidSetting(`the file that ${name} names can't be read`);
  }
};

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new InvalidSetting('a % without two digits behind it: write it as %25');
  }
};

/** REDIS_URL of every program, or a file with it in REDIS_URL_FILE. What is read stays text: `jobBackend` parses it. */
export const redisUrl: Setting<string> = secret({
  parse: (address) => parseRedisUrl(address) && address,
  valid:
    'an address like rediss://user:password@host:6379?tlsCAFile=/path/ca.crt, redis+sentinel://host,host/GROUP or redis+cluster://host,host',
});
