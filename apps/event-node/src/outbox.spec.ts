import { Writable } from 'node:stream';
import { Outbox, type ReadCall } from './outbox.js';

/** A call whose client reads only when it is told to. */
const slowCall = () => {
  const waiting: (() => void)[] = [];
  const call = new Writable({ objectMode: true, highWaterMark: 4, write: (_, __, done) => void waiting.push(done) });
  return {
    call: Object.assign(call, { cancelled: false }) as unknown as ReadCall,
    readOne: () => waiting.shift()?.(),
  };
};
const message = Buffer.from('message');
const pending = Symbol('pending');
const settled = (promise: Promise<void>) => Promise.race([promise, new Promise((r) => setImmediate(r, pending))]);

describe('outbox', () => {
  it('stops its sender while the client does not read, and lets it go on when it does', async () => {
    const { call, readOne } = slowCall();
    const outbox = new Outbox(call);
    let sent = 0;
    while (!(await full())) if (++sent > 100) throw new Error('a reader that does not read was sent everything');
    async function full(): Promise<boolean> {
      const room = outbox.send(message);
      return room !== undefined && (await settled(room)) === pending;
    }
    const room = outbox.send(message)!;
    for (let n = 0; n <= sent + 2; n++) {
      readOne();
      await new Promise(setImmediate);
    }
    expect(await settled(room)).toBeUndefined();
  });

  it('lets its sender go when the client goes away', async () => {
    const { call } = slowCall();
    const outbox = new Outbox(call);
    let room: Promise<void> | undefined;
    while (!room) room = outbox.send(message);
    call.emit('cancelled', 'cancelled');
    await room;
    expect(outbox.gone.aborted).toBe(true);
    await outbox.send(message);
  });
});
