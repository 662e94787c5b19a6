import fc from 'fast-check';
import { HashIndex } from './hash-index.js';
import { answers, questionsOf, wordsOf } from './words.js';

describe('hash index', () => {
  it('finds what was added, and through growth', () => {
    const index = new HashIndex();
    for (let n = 0; n < 20_000; n++) index.add(`word ${n % 9_000}`, n);
    for (const n of [0, 1, 8_999]) expect(index.find([`word ${n}`])).toContain(n);
    expect([...index.find(['word 5'])].sort((a, b) => a - b)).toEqual([5, 9_005, 18_005]);
    expect(index.find(['never added'])).toEqual([]);
  });
  it('takes a word that everybody has', () => {
    const index = new HashIndex();
    for (let n = 0; n < 50_000; n++) index.add('name:kari', n);
    expect(index.find(['name:kari'])).toHaveLength(50_000);
  });
  it('finds what stands under all words, whichever of them is rare, the newest first', () => {
    const index = new HashIndex();
    for (let n = 0; n < 3_000; n++) for (const by of [1, 2, 3, 500]) if (n % by === 0) index.add(`by ${by}`, n);
    expect(index.find(['by 1', 'by 2', 'by 500'])).toEqual([2_500, 2_000, 1_500, 1_000, 500, 0]);
    expect(index.find(['by 500', 'by 3', 'by 1'])).toEqual([1_500, 0]);
    expect(index.find(['by 1', 'never added'])).toEqual([]);
    expect(index.find([])).toEqual([]);
  });
});

describe('words', () => {
  it.each([
    ['name', 'kari', 'Kari Nordmann', true],
    ['name', 'nordm', 'Kari Nordmann', true],
    ['name', 'ase', 'Åse Berg', true],
    ['name', 'k', 'Kari', false],
    ['name', 'ordm', 'Kari Nordmann', false],
    ['email', 'KARI@example.no ', 'kari@example.no', true],
    ['phone', '+47 900 12 345', '+4790012345', true],
    ['organisationNumber', '974 760 673', '974760673', true],
  ] as const)('%s %s answers %s: %s', (kind, query, stored, expected) => {
    expect(answers(kind, query, stored)).toBe(expected);
    if (expected) for (const question of questionsOf(kind, query)) expect(wordsOf(kind, stored)).toContain(question);
  });
  it('has an index word for every query that a name answers', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), fc.nat(8), (name, length) => {
        const first = [...name].slice(0, length).join('');
        const asked = questionsOf('name', first);
        if (asked.length > 0 && answers('name', first, name))
          for (const question of asked) expect(wordsOf('name', name)).toContain(question);
      }),
    );
  });
});
