import { randomPart } from './random.js';

describe('random parts', () => {
  it('are of the length asked for, never the same twice, and stay as they are', () => {
    const parts = Array.from({ length: 2_000 }, () => randomPart(24));
    const asHanded = parts.map((part) => part.toString('hex'));
    Array.from({ length: 2_000 }, () => randomPart(24));
    expect(new Set(asHanded).size).toBe(2_000);
    expect(parts.map((part) => part.toString('hex'))).toEqual(asHanded);
    expect(parts.every((part) => part.length === 24)).toBe(true);
  });
  it('are never cut short, however long', () => {
    randomPart(100);
    expect([4_096, 5_000, 10_000].map((length) => randomPart(length).length)).toEqual([4_096, 5_000, 10_000]);
  });
  it('share no byte of memory', () => {
    const [one, other] = [randomPart(16), randomPart(16)];
    const before = other.toString('hex');
    one.fill(0);
    expect(other.toString('hex')).toBe(before);
  });
});
