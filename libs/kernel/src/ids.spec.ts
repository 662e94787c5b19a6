import { randomBytes } from 'node:crypto';
import { ReservedIds } from './context.js';
import { isId, newId } from './ids.js';

const timeOf = (id: string) => Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16);

describe('ids', () => {
  it('are UUIDv7 that tell the day and nothing finer', () => {
    const ids = Array.from({ length: 1000 }, () => newId());
    expect(ids.every(isId)).toBe(true);
    expect(new Set(ids).size).toBe(1000);
    expect(new Set(ids.map((id) => timeOf(id) % 86_400_000))).toEqual(new Set([0]));
  });

  it('are drawn again from the same reservation, in the same order, forks apart', () => {
    const seed = randomBytes(32);
    const draw = () => {
      const ids = new ReservedIds(seed, Date.UTC(2026, 10, 23, 12));
      const fork = ids.fork();
      return [ids.next(), fork.next(), fork.next(), ids.next()];
    };
    expect(draw()).toEqual(draw());
    expect(new Set(draw()).size).toBe(4);
    expect(draw().every(isId)).toBe(true);
  });
});
