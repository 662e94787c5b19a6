import { Redis } from 'ioredis';
import { jobBackend } from '#jobs';
import { jobsConformance } from './jobs.suite.js';
import { dumpOf } from './redis-dump.js';
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
      dump: () => dumpAt(redisUrl),
    };
  });
  afterAll(() => server?.stop());
} else
  describe.skip('jobs on Redis: redis-server is not installed (Debian: redis-server)', () =>
    it('is skipped', () => {}));

const dumpAt = async (url: string): Promise<string> => {
  const redis = new Redis(url);
  const dump = await dumpOf(redis);
  redis.disconnect();
  return dump;
};
