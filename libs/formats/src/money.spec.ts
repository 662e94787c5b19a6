import fc from 'fast-check';
import { isCurrency, isDecimal, lineAmount, minorDigits, parseDecimal, sumAmounts } from './money.js';

describe('money', () => {
  it.each(['0', '12', '-0.5', '1234.50', '999999999999.999999'])('%s is a decimal', (text) =>
    expect(isDecimal(text)).toBe(true),
  );
  it.each([
    '',
    '.5',
    '5.',
    '1,5',
    '1 000',
    '1e3',
    '+1',
    '01',
    'NaN',
    'Infinity',
    '0x10',
    '1234567890123',
    '1.1234567',
    '１',
  ])('%j is none', (text) => expect(isDecimal(text)).toBe(false));
  it('refuses negative numbers and zero where they make no sense', () => {
    expect(parseDecimal('-1', 'quantity')).toMatchObject({ problems: [{ code: 'decimal-negative' }] });
    expect(parseDecimal('0.00', 'quantity', { zero: false })).toMatchObject({ problems: [{ code: 'decimal-zero' }] });
    expect(parseDecimal('-1', 'amount', { negative: true })).toMatchObject({ ok: true, value: '-1' });
    expect(parseDecimal('1.50', 'amount')).toMatchObject({ ok: true, value: '1.50' });
  });
  it('knows currencies and their decimals', () => {
    expect([isCurrency('NOK'), isCurrency('nok'), isCurrency('ZZZ'), isCurrency('')]).toEqual([
      true,
      false,
      false,
      false,
    ]);
    expect([minorDigits('NOK'), minorDigits('JPY'), minorDigits('USD')]).toEqual([2, 0, 2]);
  });
  it('multiplies and rounds half up to the currency', () => {
    expect(lineAmount('3', '0.1', 'NOK')).toBe('0.30');
    expect(lineAmount('1', '0.125', 'NOK')).toBe('0.13');
    expect(lineAmount('1', '2.5', 'JPY')).toBe('3');
    expect(lineAmount('0.333', '10', 'NOK')).toBe('3.33');
  });
  it('sums exactly, in any order', () =>
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -100_000_000, max: 100_000_000 })), (cents) => {
        const text = (n: number) =>
          `${n < 0 ? '-' : ''}${Math.trunc(Math.abs(n) / 100)}.${String(Math.abs(n) % 100).padStart(2, '0')}`;
        const total = cents.reduce((sum, n) => sum + n, 0);
        expect(sumAmounts(cents.map(text), 'NOK').replace('-0.00', '0.00')).toBe(text(total));
        expect(sumAmounts(cents.map(text).reverse(), 'NOK')).toBe(sumAmounts(cents.map(text), 'NOK'));
      }),
    ));
  it('sums nothing to zero', () => expect(sumAmounts([], 'NOK')).toBe('0.00'));
});
