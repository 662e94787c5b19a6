import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InvalidSetting } from '#kernel';
import { parseRedisUrl } from './redis-address.js';

const directory = mkdtempSync(join(tmpdir(), 'makuler redis-url-'));
const file = join(directory, 'ca.crt');
writeFileSync(file, 'PEM');
afterAll(() => rmSync(directory, { recursive: true }));
const PEM = Buffer.from('PEM');
const F = encodeURIComponent(file);

const at = (host: string, port = 6379) => ({ host, port });

describe('the address of Redis', () => {
  it.each([
    ['redis://localhost', { kind: 'server', at: at('localhost'), database: 0, credentials: {} }],
    ['redis://localhost:1234/', { kind: 'server', at: at('localhost', 1234), database: 0, credentials: {} }],
    [
      'redis://:p%40ss%3A%2F@10.0.0.1/7',
      { kind: 'server', at: at('10.0.0.1'), database: 7, credentials: { password: 'p@ss:/' } },
    ],
    [
      'rediss://jobs:pass@[::1]:6380',
      {
        ...{ kind: 'server', at: at('::1', 6380), database: 0, tls: {} },
        credentials: { username: 'jobs', password: 'pass' },
      },
    ],
    [
      `rediss://h?tlsCAFile=${F}&tlsCertFile=${F}&tlsKeyFile=${F}`,
      { kind: 'server', at: at('h'), database: 0, credentials: {}, tls: { ca: PEM, cert: PEM, key: PEM } },
    ],
    [
      'redis+sentinel://:pass@a,b:26380,c/jobs/2?sentinelUsername=watch&sentinelPassword=w%26tch',
      {
        ...{
          kind: 'sentinel',
          sentinels: [at('a', 26379), at('b', 26380), at('c', 26379)],
          group: 'jobs',
          database: 2,
        },
        credentials: { password: 'pass' },
        sentinelCredentials: { username: 'watch', password: 'w&tch' },
      },
    ],
    [
      `rediss+cluster://:pass@a:7000,b:7001?tlsCAFile=${F}`,
      { kind: 'cluster', seeds: [at('a', 7000), at('b', 7001)], credentials: { password: 'pass' }, tls: { ca: PEM } },
    ],
  ])('says where and how: %s', (address, meant) => {
    expect(parseRedisUrl(address)).toEqual(meant);
  });

  it.each([
    ['another scheme', 'http://:h3mmelig@a'],
    ['no host', 'redis://:h3mmelig@'],
    ['a port that is none', 'redis://:h3mmelig@a:0'],
    ['several hosts of one server', 'redis://:h3mmelig@a,b'],
    ['a sign in the password that has a meaning', 'redis://:h3mm:elig@a'],
    ['a slash in the password', 'redis://:h3mm/elig@a'],
    ['a user without a password', 'redis://h3mmelig@a'],
    ['a % that stands for nothing', 'redis://:h3mmelig%@a'],
    ['a database that is none', 'redis://:h3mmelig@a/jobs'],
    ['a database of a cluster', 'redis+cluster://:h3mmelig@a/0'],
    ['sentinels without a group', 'redis+sentinel://:h3mmelig@a,b'],
    ['an unknown option', 'redis://:h3mmelig@a?timeout=3'],
    ['an option twice', `rediss://:h3mmelig@a?tlsCAFile=${F}&tlsCAFile=${F}`],
    ['a file that is not there', 'rediss://:h3mmelig@a?tlsCAFile=/nowhere/ca.crt'],
    ['half a certificate', `rediss://:h3mmelig@a?tlsCertFile=${F}`],
    ['files for TLS without TLS', `redis://:h3mmelig@a?tlsCAFile=${F}`],
    ['a password of sentinels that are none', 'redis://:h3mmelig@a?sentinelPassword=h3mmelig'],
  ])('is refused with %s, and what is said holds nothing of it', (_, address) => {
    let refused: unknown;
    try {
      parseRedisUrl(address);
    } catch (error) {
      refused = error;
    }
    expect(refused).toBeInstanceOf(InvalidSetting);
    expect(String((refused as Error).stack)).not.toMatch(/h3mm|nowhere/);
  });
});
