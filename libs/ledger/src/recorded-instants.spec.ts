import { Clock } from '#kernel';
import { RecordedInstants } from './recorded-instants.js';

class SetClock extends Clock {
  constructor(public at: number) {
    super();
  }
  now = () => new Date(this.at);
  monotonicMs = () => this.at;
}

describe('recorded instants', () => {
  it('never repeat within a millisecond', () => {
    const instants = new RecordedInstants(new SetClock(Date.UTC(2026, 0, 1)));
    const drawn = Array.from({ length: 3000 }, () => instants.next());
    expect(new Set(drawn).size).toBe(3000);
    expect([...drawn].sort()).toEqual(drawn);
    expect(drawn[0]).toBe('2026-01-01T00:00:00.000000Z');
  });
  it('follow a clock that was set back', () => {
    const clock = new SetClock(Date.UTC(2026, 0, 2));
    const instants = new RecordedInstants(clock);
    instants.next();
    clock.at = Date.UTC(2026, 0, 1);
    expect(instants.next()).toBe('2026-01-01T00:00:00.000000Z');
  });
});
