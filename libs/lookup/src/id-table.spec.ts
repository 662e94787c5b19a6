import { randomUUID } from 'node:crypto';
import { newId } from '#kernel';
import { IdTable } from './id-table.js';

describe('a table of ids', () => {
  it('numbers ids in the order in which it met them, and through growth', () => {
    const table = new IdTable();
    const ids = Array.from({ length: 20_000 }, (_, n) => (n % 2 === 0 ? newId() : randomUUID()));
    expect(ids.map((id) => table.numberOf(id))).toEqual(ids.map((_, n) => n));
    expect(ids.map((id) => table.numberOf(id))).toEqual(ids.map((_, n) => n));
    expect(ids.map((_, n) => table.idOf(n))).toEqual(ids);
    expect(table.size).toBe(ids.length);
  });

  it('knows ids apart that differ in one digit only', () => {
    const table = new IdTable();
    const one = '00000000-0000-7000-8000-00000000000f';
    const ids = Array.from(one, (digit, n) => (digit === '0' ? `${one.slice(0, n)}1${one.slice(n + 1)}` : one));
    const different = [...new Set(ids)];
    expect(different.map((id) => table.numberOf(id))).toEqual(different.map((_, n) => n));
    expect(different.map((_, n) => table.idOf(n))).toEqual(different);
  });

  it.each(['', 'f00d', '00000000-0000-7000-8000-00000000000F', '00000000-0000-7000-8000-0000000000001', '../etc'])(
    'refuses what is no id: %j',
    (text) => {
      const table = new IdTable();
      expect(() => table.numberOf(text)).toThrow(TypeError);
      expect(table.size).toBe(0);
    },
  );
});
