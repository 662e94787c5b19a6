import { validateSync } from 'class-validator';
import { HoldsNoNationalId, IsCurrencyCode, IsDay, IsDayOrInstant, IsDecimalText, IsInstant } from './decorators.js';

class Body {
  @IsDay() day: unknown = '2026-03-10';
  @IsInstant() instant: unknown = '2026-03-10T09:30:00Z';
  @IsDayOrInstant() either: unknown = '2026-03-10';
  @IsDecimalText() price: unknown = '1234.50';
  @IsCurrencyCode() currency: unknown = 'NOK';
  @HoldsNoNationalId() text: unknown = 'virker ikke';
}

describe('decorators', () => {
  it('let what is right pass', () => expect(validateSync(new Body())).toEqual([]));
  const wrong: [keyof Body, unknown][] = [
    ['day', '2026-02-30'],
    ['day', 20260310],
    ['instant', '2026-03-10'],
    ['either', 'i går'],
    ['price', 12.5],
    ['currency', 'kr'],
    ['text', null],
  ];
  it.each(wrong)('refuse %s = %j, and say what would be right', (key, value) => {
    const [error, ...more] = validateSync(Object.assign(new Body(), { [key]: value }));
    expect(more).toEqual([]);
    expect(error?.property).toBe(key);
    expect(Object.values(error?.constraints ?? {})[0]).toMatch(/^(Give|The text)/);
  });
});
