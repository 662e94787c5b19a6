import type { ActorId } from '#kernel';
import { SystemClock, newId } from '#kernel';
import { CachedTokens, REVOCATION_DELAY_MS } from './cached-tokens.js';

class MovableClock extends SystemClock {
  ms = 0;
  override monotonicMs() {
    return this.ms;
  }
}
const clock = new MovableClock();
const holder = { tokenId: newId(), actorId: newId<ActorId>(), roles: ['analyst'] as const, defaultPurpose: undefined };

describe('cached tokens', () => {
  let asked = 0;
  let valid = true;
  const tokens = new CachedTokens({ verify: () => Promise.resolve((asked++, valid ? holder : undefined)) }, clock);

  it('ask once for a busy token, and again when three seconds are over', async () => {
    for (let i = 0; i < 5; i++) expect(await tokens.verify('a')).toEqual(holder);
    expect(asked).toBe(1);
    valid = false;
    clock.ms = REVOCATION_DELAY_MS - 1;
    expect(await tokens.verify('a')).toEqual(holder);
    clock.ms = REVOCATION_DELAY_MS;
    expect(await tokens.verify('a')).toBeUndefined();
  });
  it('never remember a refusal', async () => {
    valid = false;
    expect(await tokens.verify('b')).toBeUndefined();
    valid = true;
    expect(await tokens.verify('b')).toEqual(holder);
  });
});
