import type { StoredEvent } from './event.js';
import { Tail } from './tail.js';

const events = (from: number, count: number, size = 0): StoredEvent[] =>
  Array.from({ length: count }, (_, n) => ({
    position: from + n,
    stream: 's',
    revision: from + n - 1,
    id: '',
    type: 't',
    json: true,
    created: 0,
    data: Buffer.alloc(size),
    metadata: Buffer.alloc(0),
  }));
const positions = (found: readonly StoredEvent[] | undefined) => found?.map(({ position }) => position);
const never = new AbortController().signal;

describe('tail', () => {
  it('gives what follows, and nothing at the end', () => {
    const tail = new Tail(10);
    tail.publish(events(11, 5));
    expect(positions(tail.after(12, 2))).toEqual([13, 14]);
    expect(positions(tail.after(15, 9))).toEqual([]);
    expect(positions(tail.after(99, 9))).toEqual([]);
  });
  it('keeps of what came in a large chunk what belongs to the event, and not the chunk', () => {
    const chunk = Buffer.alloc(1024 * 1024, 'x');
    chunk.write('data{"a":1}', 1_000);
    const [event] = events(1, 1);
    const tail = new Tail(0);
    tail.publish([{ ...event!, data: chunk.subarray(1_000, 1_004), metadata: chunk.subarray(1_004, 1_011) }]);
    const [kept] = tail.after(0, 1)!;
    expect([kept!.data.toString(), kept!.metadata.toString()]).toEqual(['data', '{"a":1}']);
    for (const bytes of [kept!.data, kept!.metadata]) expect(bytes.buffer.byteLength).toBe('data{"a":1}'.length);
  });
  it('says when it does not go back that far', () => {
    const tail = new Tail(10);
    expect(tail.after(9, 1)).toBeUndefined();
    tail.publish(events(11, 5));
    expect(tail.after(9, 1)).toBeUndefined();
    expect(positions(tail.after(10, 1))).toEqual([11]);
  });
  it.each([
    ['events', 30_000, 0],
    ['bytes', 60, 1024 * 1024],
  ])('is bounded by %s, and never gives an event after a gap', (_, count, size) => {
    const tail = new Tail(0);
    for (let at = 1; at <= count; at += 10) tail.publish(events(at, 10, size));
    expect(tail.after(0, 1)).toBeUndefined();
    let oldest = count;
    while (tail.after(oldest - 1, 1)) oldest--;
    expect((count - oldest) * (size || 1)).toBeLessThanOrEqual(16 * 1024 * 1024);
    expect(count - oldest).toBeLessThanOrEqual(8_192);
    expect(positions(tail.after(oldest, 3))).toEqual([oldest + 1, oldest + 2, oldest + 3]);
  });
  it('sends everybody to the database after it was read anew', () => {
    const tail = new Tail(10);
    tail.publish(events(11, 5));
    tail.restart(17);
    expect(tail.after(15, 1)).toBeUndefined();
    tail.publish(events(18, 1));
    expect([tail.after(16, 1), positions(tail.after(17, 1))]).toEqual([undefined, [18]]);
  });
  it('wakes those who wait: by an event, by a restart, by their signal', async () => {
    const tail = new Tail(1);
    const controller = new AbortController();
    const waiting = [tail.advanced(1, never), tail.advanced(1, never), tail.advanced(9, controller.signal)];
    tail.publish(events(2, 1));
    await Promise.all(waiting.slice(0, 2));
    const restarted = tail.advanced(2, never);
    tail.restart(3);
    await restarted;
    controller.abort();
    await waiting[2];
    await tail.advanced(2, never);
  });
});
