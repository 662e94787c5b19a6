import { Controller, Get, HttpCode, Module, Post } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ActorId } from '#kernel';
import { newId, SystemClock } from '#kernel';
import { createLogger, Metrics } from '#observability';
import { createPool } from '#postgres';
import { LedgerDouble, testDatabase } from '#testing';
import { WholeApi } from '../../../../test/faults/whole-api.js';
import type { ApiParts } from '../app.module.js';
import { ReadsOnly } from '../commands/is-command.js';
import { createApi } from '../create-api.js';
import { accepted, resource } from '../http/answers.js';
import { LooksUp } from './rate-limit.guard.js';
import type { RateLimitSettings } from './rate-limits.js';
import { COUNTED, RateLimits } from './rate-limits.js';
import { Roles } from './roles.js';

@Controller('v1/limited')
@Roles('analyst')
class LimitedController {
  @Get()
  plain() {
    return resource({});
  }
  @Post('search')
  @HttpCode(200)
  @ReadsOnly()
  @LooksUp(true)
  search() {
    return accepted({});
  }
}
@Module({ controllers: [LimitedController] })
class LimitedModule {}

describe('rate limits', () => {
  let app: NestFastifyApplication | undefined;
  let database: Awaited<ReturnType<typeof testDatabase>>;
  beforeAll(async () => (database = await testDatabase()));
  afterAll(() => database.drop());

  const start = async (rateLimits: RateLimitSettings) => {
    const pool = createPool(database.url, { name: 'spec' });
    const holders = new Map(['a', 'b'].map((token) => [token, newId<ActorId>()]));
    const verify = async (token: string) => {
      const id = holders.get(token);
      return id && { tokenId: id, actorId: id, roles: ['analyst' as const], defaultPurpose: undefined };
    };
    const parts = {
      ...{ clock: new SystemClock(), ledger: new LedgerDouble(), readModels: pool, control: pool, rateLimits },
      ...{
        tokens: { verify },
        projections: {},
        metrics: new Metrics('spec'),
        logger: createLogger({ name: 'spec', level: 'silent' }),
      },
      ...{ policy: {}, registry: {}, vault: {}, shredder: {}, operations: {}, recovery: {}, witness: {}, store: {} },
    } as unknown as ApiParts;
    app = await createApi(parts, [LimitedModule]);
    return pool;
  };
  const ask = (token = 'a', url = '/v1/limited', remoteAddress = '192.0.2.1') =>
    app!.inject({
      ...{ method: url.endsWith('search') ? 'POST' : 'GET', url, remoteAddress },
      headers: { authorization: `Bearer ${token}` },
    });
  const running = async (limits: RateLimitSettings, work: () => Promise<void>) => {
    const pool = await start(limits);
    await work().finally(async () => {
      await app!.close();
      await pool.end();
    });
  };

  it('count each token, say what is left, and refuse what is too much with the time to wait', () =>
    running({ address: 0, token: 3, lookups: 0 }, async () => {
      const left = [];
      for (let i = 0; i < 3; i++) left.push((await ask()).headers['ratelimit']);
      expect(left).toEqual([2, 1, 0].map((r) => expect.stringMatching(new RegExp(`^"token";r=${r};t=\\d+$`))));
      const refused = await ask();
      expect(refused.statusCode).toBe(429);
      expect(refused.json()).toMatchObject({ code: 'rate-limited' });
      expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
      expect(refused.headers['ratelimit-policy']).toBe('"token";q=3;w=60');
      expect((await ask('b')).statusCode).toBe(200);
    }));

  it('count an address whatever it shows, before a token is looked at', () =>
    running({ address: 4, token: 0, lookups: 0 }, async () => {
      const statuses = [];
      for (const token of ['x', 'y', 'a', 'b', 'a']) statuses.push((await ask(token)).statusCode);
      expect(statuses).toEqual([401, 401, 200, 200, 429]);
      expect((await ask('a', '/v1/limited', '192.0.2.2')).statusCode).toBe(200);
      const refused = await ask('a');
      expect(refused.headers['content-type']).toContain('application/problem+json');
      expect(refused.json()).toMatchObject({ code: 'rate-limited', requestId: expect.any(String) });
    }));

  it('count an IPv6 network of 64 bits as one address, and a mapped IPv4 address as what it is', () =>
    running({ address: 1, token: 0, lookups: 0 }, async () => {
      const status = async (address: string) => (await ask('a', '/v1/limited', address)).statusCode;
      expect([await status('2001:db8:0:1::1'), await status('2001:db8:0:1:ffff:ffff:ffff:ffff')]).toEqual([200, 429]);
      expect(await status('2001:db8:0:2::1')).toBe(200);
      expect([await status('192.0.2.7'), await status('::ffff:192.0.2.7')]).toEqual([200, 429]);
      expect(await status('::ffff:192.0.2.8')).toBe(200);
    }));

  it('are not forgotten for the sake of others, as long as those are no more than it remembers', async () => {
    const server = new FastifyAdapter().getInstance();
    const limits = new RateLimits({ address: 1, token: 0, lookups: 0 });
    await limits.bind(server as never);
    const reply = { getHeader: () => undefined, header: () => reply } as unknown as FastifyReply;
    const come = (n: number) => {
      const from = { ip: `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`, routeOptions: {} };
      return limits.count('address', from as FastifyRequest, reply);
    };
    for (let n = 0; n < COUNTED; n++) await come(n);
    await expect(come(0)).rejects.toMatchObject({ code: 'rate-limited' });
    // One more than there is place for: the one who was here longest ago.
    await come(COUNTED);
    await come(1);
    await server.close();
  });

  it('count look-ups more strictly than the rest', () =>
    running({ address: 0, token: 100, lookups: 2 }, async () => {
      const statuses = [];
      for (let i = 0; i < 3; i++) statuses.push((await ask('a', '/v1/limited/search')).statusCode);
      expect(statuses).toEqual([200, 200, 429]);
      expect((await ask()).statusCode).toBe(200);
    }));

  it('count whoever searches for customers as looking up, whatever comes of it', async () => {
    const api = await WholeApi.start({ rateLimits: { address: 0, token: 0, lookups: 1 } });
    const search = (payload: object) =>
      api.call('service-desk', { method: 'POST', url: '/v1/customers/search', payload });
    expect((await search({})).statusCode).toBe(400);
    expect((await search({ phone: '90012345' })).statusCode).toBe(429);
    expect((await api.call('service-desk', { url: '/v1/policy' })).statusCode).toBe(200);
    await api.stop();
  });
});
