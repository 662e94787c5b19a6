import { newId } from '#kernel';
import { decodeCursor, encodeCursor } from './cursor.js';

describe('a cursor', () => {
  it('comes back as it was given', () => {
    const id = newId();
    const parts = ['2026-03-10', '2026-03-10T09:30:00.000Z', '123456789012345678', id] as const;
    expect(decodeCursor(encodeCursor(...parts), ['day', 'instant', 'position', 'id'])).toEqual(parts);
    expect(decodeCursor(undefined, ['id'])).toBeUndefined();
  });

  it.each([
    ['day', '2026-02-30'],
    ['day', 'x'],
    ['instant', 'yesterday'],
    ['instant', '+275760-09-13T00:00:00.000Z'],
    ['position', '-1'],
    ['position', '9'.repeat(30)],
    ['id', "'; --"],
    ['hash', 'x'],
  ] as const)('that is forged is refused before the database sees it: %s %s', (kind, part) => {
    expect(() => decodeCursor(encodeCursor(part), [kind])).toThrow(expect.objectContaining({ code: 'invalid-input' }));
  });
});
