import { MakulerError } from '#kernel';
import { Health } from './health.js';

describe('health', () => {
  it('is ready when every check is', async () => {
    const health = new Health();
    health.register('vault', async () => undefined);
    expect(await health.report()).toEqual({ ready: true, checks: { vault: { ready: true } } });
  });

  it('says what is not ready and why, in codes', async () => {
    const health = new Health();
    health.register('vault', () => Promise.reject(new MakulerError('vault-unavailable')));
    health.register('lookup', async () => ({ because: 'warming' }));
    health.register('other', () => Promise.reject(new Error('Kari Nordmann')));
    health.register('database', async () => undefined);
    expect(await health.report()).toEqual({
      ready: false,
      checks: {
        vault: { ready: false, because: 'vault-unavailable' },
        lookup: { ready: false, because: 'warming' },
        other: { ready: false, because: 'the check failed' },
        database: { ready: true },
      },
    });
  });

  it('counts a check that hangs as not ready', async () => {
    const health = new Health();
    health.register('vault', () => new Promise(() => undefined));
    expect((await health.report()).checks['vault']).toEqual({ ready: false, because: 'no answer within 2 s' });
  });
});
