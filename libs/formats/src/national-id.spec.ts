import fc from 'fast-check';
import { holdsNationalId, parseFreeText } from './national-id.js';

/** Made from a date and a serial number for these tests; the check digits fit, nobody bears them. */
const withCheckDigits = (nine: string): string | undefined => {
  const check = (weights: readonly number[], digits: string) => {
    const rest = weights.reduce((sum, weight, i) => sum + weight * Number(digits[i]), 0) % 11;
    return rest === 0 ? 0 : 11 - rest;
  };
  const first = check([3, 7, 6, 1, 8, 9, 4, 5, 2], nine);
  const second = check([5, 4, 3, 2, 7, 6, 5, 4, 3, 2], nine + String(first));
  return first > 9 || second > 9 ? undefined : `${nine}${first}${second}`;
};
const IDS = ['010190100', '010190101', '010190102', '010190103', '410190100', '410190102', '014190103', '018190101']
  .map(withCheckDigits)
  .filter((id) => id !== undefined);
const id = IDS[0]!;

describe('the guard against national ids', () => {
  it('has examples to try', () => expect(IDS.length).toBeGreaterThan(3));
  it.each(IDS)('finds %s', (number) => expect(holdsNationalId(`Kunden ${number} ringte`)).toBe(true));
  it.each([
    ...[`${id.slice(0, 6)} ${id.slice(6)}`, `${id.slice(0, 6)}-${id.slice(6)}`, `${id.slice(0, 6)}.${id.slice(6)}`],
    ...[[...id].join(' '), [...id].join(' . '), `${id.slice(0, 2)}.${id.slice(2, 4)}.${id.slice(4, 6)} ${id.slice(6)}`],
    ...[`fnr:${id}.`, `x${id}x`, `12 ${id}`, `${id} 12`, `tlf 90012345 ${id}`, `${id.slice(0, 6)}\u00a0${id.slice(6)}`],
    ...[
      `${id.slice(0, 6)}\n${id.slice(6)}`,
      `${id.slice(0, 5)}\u200b${id.slice(5)}`,
      `${id.slice(0, 5)}\u00ad${id.slice(5)}`,
    ],
    [...id].map((digit) => String.fromCodePoint(0xff10 + Number(digit))).join(''),
  ])('finds it written as %j', (text) => expect(holdsNationalId(text)).toBe(true));
  it.each([
    ...['', 'ring 900 12 345', 'faktura 20260310 nr 4711', 'IBAN NO93 8601 1117 947', `ordre 9${id}`, `${id}0`],
    ...[`${id.slice(0, 6)}abc${id.slice(6)}`, `${id.slice(0, 6)}    ${id.slice(6)}`, '12345678901', '00000000000'],
  ])('lets %j pass', (text) => expect(holdsNationalId(text)).toBe(false));
  it('finds it in any text that holds it as a word', () =>
    fc.assert(
      fc.property(fc.constantFrom(...IDS), fc.lorem(), fc.lorem(), (number, before, after) => {
        expect(holdsNationalId(`${before} ${number} ${after}`)).toBe(true);
      }),
    ));
  it('is quick on long runs of digits', () => {
    const parsed = parseFreeText('1 '.repeat(5000), 'description');
    expect(parsed.ok).toBe(true);
  });
  it('refuses the text, without repeating it', () => {
    const parsed = parseFreeText(`født ${id}`, 'description');
    expect(parsed).toMatchObject({ ok: false, problems: [{ path: 'description', code: 'national-id-refused' }] });
    expect(JSON.stringify(parsed)).not.toContain(id.slice(0, 6));
  });
  it('refuses what is too long', () =>
    expect(parseFreeText('x'.repeat(11), 'note', { maxLength: 10 })).toMatchObject({
      problems: [{ code: 'too-long' }],
    }));
});
