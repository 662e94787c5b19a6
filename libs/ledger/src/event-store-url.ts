import { accessSync, constants } from 'node:fs';
import type { Setting } from '#kernel';
import { InvalidSetting, secret } from '#kernel';

/** Options of the vendor's client (6.2.1, parseConnectionString.js), as it compares them: without case, `-` and `_`. */
const OPTIONS = new Map(
  [
    ...['tls', 'tlsVerifyCert', 'tlsCAFile', 'userCertFile', 'userKeyFile', 'nodePreference', 'throwOnAppendFailure'],
    ...['maxDiscoverAttempts', 'discoveryInterval', 'gossipTimeout', 'keepAliveInterval', 'keepAliveTimeout'],
    ...['defaultDeadline', 'connectionName'],
  ].map((name) => [name.toLowerCase(), name]),
);
const FLAGS: ReadonlySet<string> = new Set(['tls', 'tlsVerifyCert', 'throwOnAppendFailure']);
const FILES: ReadonlySet<string> = new Set(['tlsCAFile', 'userCertFile', 'userKeyFile']);
const TEXTS: ReadonlySet<string> = new Set(['connectionName', 'nodePreference']);

/** The client knows the older names of the schemes only; the newer ones mean the same. */
const ADDRESS = /^(?:esdb|kurrentdb)(\+discover)?:\/\/(?:([^@/?]*)@)?([^/?]+)\/?(?:\?(.*))?$/;
const HOST = /^[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?(?::(\d{1,5}))?$/i;

/**
 * An address of the event store as the vendor's client takes it: `esdb://user:password@host:port[,host:port…]?option=value`,
 * or `esdb+discover://`; `kurrentdb` is understood as `esdb`. Throws InvalidSetting, which holds nothing of the address:
 * the client's own complaints print the whole of it, password included, and options that it does not know it leaves out.
 */
export const parseEventStoreUrl = (address: string): string => {
  const [, discover = '', credentials, hosts, query] = ADDRESS.exec(address.trim()) ?? [];
  if (hosts === undefined) throw new InvalidSetting('it does not have the parts of such an address');
  if (credentials !== undefined) checkCredentials(credentials);
  for (const host of hosts.split(',')) {
    const port = HOST.exec(host);
    if (!port || Number(port[1] ?? 2113) > 65535)
      throw new InvalidSetting('hosts are names or IPv4 addresses with or without a port, separated by commas');
  }
  // The client would ask the first for the others, and never the second: no use while the first is down.
  if (discover !== '' && hosts.includes(','))
    throw new InvalidSetting(
      'with +discover there is one name, which the DNS has for all nodes; without it there may be more',
    );
  const options = optionsIn(query);
  if (credentials !== undefined && options.get('tls') === 'false')
    throw new InvalidSetting('with tls=false the client does not send the password: use TLS, or leave it out');
  const text = query === undefined ? '' : `?${query}`;
  return `esdb${discover}://${credentials === undefined ? '' : `${credentials}@`}${hosts}${text}`;
};

const checkCredentials = (credentials: string): void => {
  const [user, password, ...rest] = credentials.split(':');
  // What follows a second colon the client leaves out.
  if (!user || !password || rest.length > 0 || !decodable(credentials))
    throw new InvalidSetting('before the @ stand user:password, with other signs than letters and digits as %XX');
};

const optionsIn = (query: string | undefined): ReadonlyMap<string, string> => {
  const options = new Map<string, string>();
  for (const pair of query?.split('&') ?? []) {
    const [, key, value] = /^([^=]+)=([^=?]+)$/.exec(pair) ?? [];
    const name = key === undefined ? undefined : OPTIONS.get(key.trim().toLowerCase().replace(/[_-]/g, ''));
    if (name === undefined || value === undefined || !decodable(value))
      throw new InvalidSetting(`after the ? stand option=value pairs; options are ${[...OPTIONS.values()].join(', ')}`);
    if (options.has(name)) throw new InvalidSetting(`${name} is given twice`);
    options.set(name, value);
    checkOption(name, decodeURIComponent(value.trim()));
  }
  if (options.has('userCertFile') !== options.has('userKeyFile'))
    throw new InvalidSetting('userCertFile and userKeyFile go together');
  return options;
};

const checkOption = (name: string, value: string): void => {
  if (FLAGS.has(name)) {
    if (value !== 'true' && value !== 'false') throw new InvalidSetting(`${name} is true or false`);
    if (name === 'tlsVerifyCert' && value === 'false')
      throw new InvalidSetting('certificates are always checked: name their authority with tlsCAFile');
    if (name === 'throwOnAppendFailure' && value === 'false')
      throw new InvalidSetting('throwOnAppendFailure stays true: a refused append would pass for one that was done');
  } else if (FILES.has(name)) {
    if (!readable(value)) throw new InvalidSetting(`the file that ${name} names can't be read`);
  } else if (!TEXTS.has(name)) {
    // -1 switches the client's pings off.
    if (!/^(-1|\d{1,9})$/.test(value)) throw new InvalidSetting(`${name} is a whole number`);
  } else if (name === 'nodePreference' && value.toLowerCase() !== 'leader')
    // A follower is behind by an unknown time: decisions and the vault's gate would see a log that is too short.
    throw new InvalidSetting('nodePreference stays leader: another node may not have the newest events');
};

const readable = (path: string): boolean => {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch {
    return false;
  }
};

const decodable = (text: string): boolean => {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
};

/** EVENTSTORE_URL of every program, or a file with it in EVENTSTORE_URL_FILE. */
export const eventStoreUrl: Setting<string> = secret({
  parse: parseEventStoreUrl,
  valid: 'an address like esdb://user:password@host:2113?tlsCAFile=/path/ca.crt',
});
