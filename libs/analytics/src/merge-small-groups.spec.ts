import fc from 'fast-check';
import { mergeSmallGroups } from './merge-small-groups.js';

const group = (itemType: string, size: number, amount = '1.10', currency = 'NOK') => ({
  by: { itemType, currency },
  size,
  sums: { amount },
});

describe('mergeSmallGroups', () => {
  it('leaves groups at or above the minimum as they are', () => {
    expect(mergeSmallGroups([group('a', 5), group('b', 9)], 5).map(({ merged }) => merged)).toEqual([0, 0]);
  });

  it('adds up those below it, exactly, without what tells them apart', () => {
    const shown = mergeSmallGroups([group('a', 2, '0.10'), group('b', 9), group('c', 3, '0.20')], 5, ['currency']);
    expect(shown.map(({ by }) => by)).toEqual([
      { itemType: 'b', currency: 'NOK' },
      { itemType: null, currency: 'NOK' },
    ]);
    expect(shown[1]).toMatchObject({ size: 5, sums: { amount: '0.3' }, merged: 2 });
  });

  it('takes the next smallest along when one small group would stand alone', () => {
    const shown = mergeSmallGroups([group('a', 1), group('b', 9), group('c', 7)], 5);
    expect(shown.map(({ size }) => size)).toEqual([9, 8]);
  });

  it('never adds up different currencies', () => {
    const shown = mergeSmallGroups(
      [group('a', 3), group('b', 3), group('a', 3, '1', 'EUR'), group('b', 3, '1', 'EUR')],
      5,
      ['currency'],
    );
    expect(shown.map(({ by, size }) => [by['currency'], size])).toEqual([
      ['NOK', 6],
      ['EUR', 6],
    ]);
  });

  it('loses nothing, and shows no group below the minimum beside another', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat({ max: 20 }).map((n) => n + 1)),
        fc.integer({ min: 1, max: 10 }),
        (sizes, minimum) => {
          const shown = mergeSmallGroups(
            sizes.map((size, i) => group(String(i), size)),
            minimum,
          );
          expect(shown.reduce((sum, { size }) => sum + size, 0)).toBe(sizes.reduce((sum, size) => sum + size, 0));
          if (shown.length > 1) for (const { size } of shown) expect(size).toBeGreaterThanOrEqual(minimum);
        },
      ),
    );
  });
});
