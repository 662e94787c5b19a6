import { MakulerError } from '#kernel';
import { BullJobs, defineJob, jobBackend } from '#jobs';
import { dumpOf } from './redis-dump.js';
import { jobsConformance } from './jobs.suite.js';
import { PASSWORD, hasRedis, startRedis } from './redis-server.js';
import type { RedisTopology } from './redis-topologies.js';
import { clusterRedis, sentinelRedis, tlsRedis } from './redis-topologies.js';

const over = (name: string, start: () => Promise<RedisTopology>, more: (of: () => RedisTopology) => void = () => {}) =>
  describe(`over ${name}`, () => {
    let topology: RedisTopology;
    beforeAll(async () => (topology = await start()));
    afterAll(() => topology.stop());
    const open = async () => ({
      connect: () => jobBackend({ databaseUrl: '', redisUrl: topology.url }),
      drop: () => empty(topology),
      dump: async () => (await Promise.all(topology.nodes.map(dumpOf))).join('\n'),
    });
    // What takes time to wait for is the same over every address: redis-jobs.int.spec.ts has it.
    jobsConformance(name, open, { patient: false });
    more(() => topology);
  });

const empty = async ({ nodes }: RedisTopology): Promise<void> => {
  // A replica is emptied by its primary.
  for (const node of nodes) if ((await node.role())[0] === 'master') await node.flushall();
};

if (hasRedis()) {
  over('Redis with TLS on both sides', tlsRedis);

  over('Redis behind a sentinel', sentinelRedis, (of) =>
    it('go on with the next primary', async () => {
      const backend = jobBackend({ databaseUrl: '', redisUrl: of().url });
      await backend.prepare();
      const queue = backend.queue('failover');
      queue.on('error', () => undefined);
      await queue.add('before', {});
      await (of() as Awaited<ReturnType<typeof sentinelRedis>>).failOver();
      await queue.add('after', {});
      expect(await queue.getJobCounts('waiting')).toEqual({ waiting: 2 });
      expect(await of().nodes[1]!.keys('*')).not.toEqual([]);
      await queue.close();
      await backend.close();
    }),
  );

  over('a Redis cluster', clusterRedis, (of) =>
    it('have all their keys on one node, as scripts need it', async () => {
      const backend = jobBackend({ databaseUrl: '', redisUrl: of().url });
      await backend.prepare();
      const queue = backend.queue('where');
      await queue.add('is', {});
      const sizes = await Promise.all(of().nodes.map((node) => node.dbsize()));
      expect(sizes.filter((size) => size > 0)).toHaveLength(1);
      await queue.close();
      await backend.close();
    }),
  );

  describe('a Redis that answers nothing', () => {
    it('is given up after a while, and works again when it answers', async () => {
      const server = await startRedis();
      const backend = jobBackend({ databaseUrl: '', redisUrl: server.url });
      await backend.prepare();
      const jobs = new BullJobs(backend);
      const job = defineJob('asked', {});
      await jobs.enqueue(job, {});
      server.signal('SIGSTOP');
      await expect(jobs.enqueue(job, {})).rejects.toMatchObject({ code: 'queue-unavailable' });
      server.signal('SIGCONT');
      await jobs.enqueue(job, {});
      // What was asked in between may have come through: at least once.
      expect((await jobs.counts(job)).waiting).toBeGreaterThanOrEqual(2);
      await jobs.close();
      await backend.close();
      await server.stop();
    });
  });

  describe('an address of Redis that leads nowhere', () => {
    it('is told at the start, without the password', async () => {
      const server = await startRedis();
      const wrong = server.url.replace(PASSWORD, 'h3mmelig');
      const backend = jobBackend({ databaseUrl: '', redisUrl: wrong });
      const refused = await backend.prepare().catch((error: unknown) => error);
      expect(refused).toBeInstanceOf(MakulerError);
      expect(refused).toMatchObject({
        code: 'queue-unavailable',
        message: expect.stringMatching(/WRONGPASS/) as string,
      });
      expect(JSON.stringify(refused, Object.getOwnPropertyNames(refused))).not.toMatch(/h3mmelig/);
      await backend.close();
      await server.stop();
    });
  });
} else
  describe.skip('jobs over TLS, Sentinel and Cluster: redis-server is not installed (Debian: redis-server)', () =>
    it('is skipped', () => {}));
