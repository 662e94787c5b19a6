import { EventEmitter } from 'node:events';
import { Clock } from '#kernel';
import type { FromHolder, ToHolder } from '../rpc/messages.js';
import type { VaultConnection } from './connection.js';
import { Lease } from './lease.js';

class HandClock extends Clock {
  ms = 1_000;
  now = () => new Date();
  monotonicMs = () => this.ms;
}

describe('a lease', () => {
  const start = () => {
    const clock = new HandClock();
    const sent: FromHolder[] = [];
    const ended = () => void stream.emit('end');
    const stream = Object.assign(new EventEmitter(), {
      write: (message: FromHolder) => sent.push(message),
      end: () => ended(),
      cancel: () => undefined,
    });
    const lapses: boolean[] = [];
    const lease = new Lease({ hold: () => stream } as unknown as VaultConnection, clock, {
      shredded: () => undefined,
      lapsed: (reset) => lapses.push(reset),
      reconnected: () => undefined,
      quiesce: (_, quiet) => quiet(),
    });
    const receive = (message: ToHolder) => stream.emit('data', message);
    const renewal = () => sent.findLast(({ renew }) => renew !== undefined)!.renew!;
    return { clock, lease, lapses, sent, receive, renewal };
  };

  it('is counted from before the renewal was sent, however late its answer is read', () => {
    const { clock, lease, lapses, receive, renewal } = start();
    clock.ms += 3_000;
    receive({ message: 'renewed', renewed: renewal() });
    expect(lease.isLive()).toBe(true);
    expect(lease.untilMs).toBeLessThanOrEqual(1_000 + lease.leaseMs);
    clock.ms = 1_000 + lease.leaseMs;
    expect(lease.isLive()).toBe(false);
    expect(lapses).toEqual([false]);
    receive({ message: 'renewed', renewed: renewal() });
    expect(lease.isLive()).toBe(false);
    lease.close();
  });

  it('is not there before the vault has answered, nor after an answer older than itself', () => {
    const { clock, lease, receive, renewal } = start();
    expect(lease.isLive()).toBe(false);
    clock.ms += lease.leaseMs;
    receive({ message: 'renewed', renewed: renewal() });
    expect(lease.isLive()).toBe(false);
    lease.close();
  });

  it('is given back only after everything was dropped, and is not there from then on', async () => {
    const { lease, lapses, sent, receive, renewal } = start();
    receive({ message: 'renewed', renewed: renewal() });
    let droppedBefore: boolean | undefined;
    const push = sent.push.bind(sent);
    sent.push = (message) => {
      droppedBefore ??= lapses.length > 0 && !lease.isLive();
      return push(message);
    };
    await lease.giveBack();
    expect([sent.at(-1), droppedBefore]).toEqual([{ released: true }, true]);
    receive({ message: 'renewed', renewed: renewal() });
    expect(lease.isLive()).toBe(false);
  });
});
