import { cut, meet, NO_PARTS, whole } from './parts.js';

describe('parts of what does not go into one event', () => {
  it('hold everything once and in order, each no larger than asked for', () => {
    const all = Array.from({ length: 1_000 }, (_, n) => ({ partition: `§ ${n}` }));
    const parts = cut(all, 1_000);
    expect(parts.flat()).toEqual(all);
    expect(parts.length).toBeGreaterThan(10);
    for (const part of parts) expect(Buffer.byteLength(JSON.stringify(part))).toBeLessThanOrEqual(1_000 + 1);
  });

  it('are one for what is small, and one for each that is larger than asked for', () => {
    expect(cut([1, 2, 3])).toEqual([[1, 2, 3]]);
    expect(cut(['a'.repeat(20), 'b'.repeat(20)], 10)).toHaveLength(2);
  });

  it('are told from those of an attempt that was cut off', () => {
    const met = [['cut-off', 1] as const, ['done', 2] as const, ['done', 3] as const].reduce(
      (before, [list, part]) => meet(before, list, part),
      new Map<string, readonly number[]>() as ReadonlyMap<string, readonly number[]>,
    );
    expect(whole(met, { list: 'done', parts: 2 })).toEqual([2, 3]);
    expect(whole(met, NO_PARTS)).toEqual([]);
    expect(() => whole(met, { list: 'cut-off', parts: 2 })).toThrow('of 2 parts');
    expect(() => whole(met, { list: 'another', parts: 1 })).toThrow('of 1 parts');
  });
});
