import type { ActorId } from '#kernel';
import { inContext, newId, systemContext } from '#kernel';
import { LedgerDouble, SetClock } from '#testing';
import { ClockGuard } from './clock-guard.js';
import { ClockHeartbeatProcessor } from './clock-heartbeat.job.js';
import { SweepFinished } from './retention.events.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const START = new Date('2026-06-01T12:00:00Z');
/** Any event that says nothing about the clock. */
const OTHER = { sweepId: newId(), shredded: 0 };

describe('the clock guard', () => {
  let clock: SetClock;
  let ledger: LedgerDouble;
  let guard: ClockGuard;
  const as = <T>(work: () => Promise<T>) => inContext(systemContext(newId<ActorId>()), work);
  const setTo = (ms: number) => clock.set(new Date(START.getTime() + ms));
  const codeOf = (work: Promise<unknown>) =>
    work.then(
      () => 'done',
      (error: { code?: string }) => error.code,
    );

  beforeEach(() => {
    clock = new SetClock(START);
    ledger = new LedgerDouble(clock);
    guard = new ClockGuard(ledger, clock);
  });

  it('trusts the clock of an empty log', async () => {
    expect(await guard.state()).toBe('plausible');
    expect(await as(() => guard.trust())).toBe(true);
  });

  it.each([
    ['0 h', 0, 'plausible'],
    ['48 h ahead', 48 * HOUR, 'plausible'],
    ['more than 48 h ahead', 48 * HOUR + 1, 'unconfirmed'],
    ['400 days ahead', 400 * DAY, 'unconfirmed'],
    ['more than 400 days ahead', 400 * DAY + 1, 'implausible'],
    ['behind', -1, 'unconfirmed'],
    ['an hour behind', -HOUR, 'unconfirmed'],
    ['more than an hour behind', -HOUR - 1, 'implausible'],
  ])('%s of the last trusted instant: %s', async (_name, ms, expected) => {
    await as(() => guard.trust());
    setTo(ms);
    expect(await guard.state()).toBe(expected);
    expect(await codeOf(guard.assertConfirmed())).toBe(expected === 'plausible' ? 'done' : 'clock-implausible');
    expect(await codeOf(guard.assertPlausible())).toBe(expected === 'implausible' ? 'clock-implausible' : 'done');
  });

  it('does not come to trust a clock that jumped because it goes on steadily', async () => {
    await as(() => guard.trust());
    setTo(49 * HOUR);
    for (let hour = 0; hour < 5; hour++) {
      clock.pass(HOUR);
      expect(await as(() => guard.trust())).toBe(false);
    }
    expect(await guard.state()).toBe('unconfirmed');
  });

  it('is at rest once an operator has confirmed the clock, ahead or behind', async () => {
    await as(() => guard.trust());
    for (const ms of [500 * DAY, -500 * DAY]) {
      setTo(ms);
      await as(() => guard.confirm());
      expect(await guard.state()).toBe('plausible');
    }
  });

  it('looks at the newest instant, however much of other things was written since, and at no more than that', async () => {
    await as(() => guard.trust());
    setTo(HOUR);
    await as(() => guard.trust());
    for (let n = 0; n < 100; n++)
      await as(() => ledger.append({ stream: 'vault-ledger', expected: 'any', drafts: [SweepFinished.of(OTHER)] }));
    ledger.read = () => Promise.reject(new Error('the whole stream was read'));
    setTo(48 * HOUR + HOUR);
    expect(await guard.state()).toBe('plausible');
    setTo(48 * HOUR + HOUR + 1);
    expect(await guard.state()).toBe('unconfirmed');
  });

  it('hears at once that an operator confirmed the clock in another process', async () => {
    await as(() => guard.trust());
    setTo(500 * DAY);
    expect(await guard.state()).toBe('implausible');
    await as(() => new ClockGuard(ledger, clock).confirm());
    await guard.assertPlausible();
    await guard.assertConfirmed();
  });

  describe('the heartbeat', () => {
    const jobs = undefined as never;
    let serving: boolean;
    const vault = { gate: async () => ({ serving }) } as never;
    beforeEach(() => {
      serving = true;
    });
    const runs = (processor: ClockHeartbeatProcessor) => processor.process();

    it('is written each hour while both clocks move together', async () => {
      const processor = new ClockHeartbeatProcessor(guard, clock, jobs, vault);
      for (let minutes = 0; minutes < 180; minutes += 5) {
        clock.pass(5 * 60_000);
        await runs(processor);
      }
      expect(await ledger.read('vault-ledger')).toHaveLength(3);
    });

    it('is not written behind a closed gate, where the log may be an older one', async () => {
      const processor = new ClockHeartbeatProcessor(guard, clock, jobs, vault);
      clock.pass(5 * 60_000);
      serving = false;
      expect(await runs(processor)).toEqual({ trusted: 0 });
      const away = { gate: () => Promise.reject(new Error('away')) } as never;
      expect(await runs(new ClockHeartbeatProcessor(guard, clock, jobs, away))).toEqual({ trusted: 0 });
      expect(await ledger.read('vault-ledger')).toHaveLength(0);
      serving = true;
      expect(await runs(processor)).toEqual({ trusted: 1 });
    });

    it('is not written when the wall clock jumped meanwhile, also by less than what makes a sweep wait', async () => {
      await as(() => guard.trust());
      const processor = new ClockHeartbeatProcessor(guard, clock, jobs, vault);
      setTo(40 * HOUR);
      expect(await runs(processor)).toEqual({ trusted: 0 });
    });
  });
});
