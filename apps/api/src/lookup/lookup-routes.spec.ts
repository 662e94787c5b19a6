import type { Lookup } from '#lookup';
import { Health } from '#observability';
import { LookupRoutesModule } from './lookup-routes.module.js';

describe('readiness', () => {
  it('says that the index of persons is warming, until it has settled for the first time', async () => {
    const { promise: settled, resolve } = Promise.withResolvers<void>();
    const health = new Health();
    new LookupRoutesModule({ settled: () => settled } as Lookup, health);
    expect(await health.report()).toEqual({ ready: false, checks: { lookup: { ready: false, because: 'warming' } } });
    resolve();
    await settled;
    expect(await health.report()).toEqual({ ready: true, checks: { lookup: { ready: true } } });
  });
});
