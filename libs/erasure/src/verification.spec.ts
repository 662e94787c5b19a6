import { placesBefore } from './verification.js';

describe('what a verification opens of a stream', () => {
  const revisionsIn = (length: number) =>
    placesBefore(BigInt(length)).flatMap(({ end, count }) =>
      Array.from({ length: Number(count) }, (_, n) => Number(end) - 1 - n),
    );

  it.each([0, 1, 64, 128])('is all of %d events', (length) => {
    expect(new Set(revisionsIn(length))).toEqual(new Set(Array.from({ length }, (_, n) => n)));
  });

  it.each([129, 1_000, 100_000])(
    'is a bounded number of %d, the first of them always, and places that change',
    (length) => {
      const opened = revisionsIn(length);
      expect(opened).toHaveLength(128);
      expect(Math.min(...opened)).toBe(0);
      expect(Math.max(...opened)).toBeLessThan(length);
      expect(opened).toEqual(expect.arrayContaining(Array.from({ length: 64 }, (_, n) => n)));
      const draws = new Set(Array.from({ length: 50 }, () => JSON.stringify(revisionsIn(100_000))));
      expect(draws.size).toBeGreaterThan(1);
    },
  );
});
