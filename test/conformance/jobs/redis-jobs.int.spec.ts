import { Redis } from 'ioredis';
import { jobBackend } from '#jobs';
import { jobsConformance } from './jobs.suite.js';
import type { RedisServer } from './redis-server.js';
import { hasRedis, startRedis } from './redis-server.js';

if (hasRedis()) {
  let server: RedisServer | undefined;
  let databases = 0;
  jobsConformance('Redis', async () => {
    server ??= await startRedis();
    const redisUrl = `${server.url}/${databases++}`;
    return {
      connect: () => jobBackend({ databaseUrl: '', redisUrl }),
      drop: async () => undefined,
      dump: () => dumpOf(redisUrl),
    };
  });
  afterAll(() => server?.stop());
} else
  describe.skip('jobs on Redis: redis-server is not installed (Debian: redis-server)', () =>
    it('is skipped', () => {}));

/** Every key with its value, whatever its type. */
const dumpOf = async (url: string): Promise<string> => {
  const redis = new Redis(url);
  const read = async (key: string): Promise<unknown> => {
    switch (await redis.type(key)) {
      case 'hash':
        return redis.hgetall(key);
      case 'list':
        return redis.lrange(key, 0, -1);
      case 'zset':
        return redis.zrange(key, '0', '-1');
      case 'set':
        return redis.smembers(key);
      case 'stream':
        return redis.xrange(key, '-', '+');
      default:
        return redis.get(key);
    }
  };
  const keys = await redis.keys('*');
  const all = await Promise.all(keys.map(async (key) => [key, await read(key)]));
  redis.disconnect();
  return JSON.stringify(all);
};
