import fc from 'fast-check';
import { stdnum } from 'stdnum';
import { formatOrganisationNumber, isOrganisationNumber, parseOrganisationNumber } from './organisation-number.js';

const orgnr = stdnum['NO']!['orgnr']!;
const codeOf = (input: string, country?: string) => {
  const parsed = parseOrganisationNumber(input, country === undefined ? {} : { country });
  return parsed.ok ? (parsed.warnings[0]?.code ?? 'ok') : parsed.problems[0]?.code;
};

describe('an organisation number', () => {
  it.each(['123456785', '974760673', '889640782', '701730496'])('%s has the right check digit', (number) =>
    expect(isOrganisationNumber(number)).toBe(true),
  );
  it('is refused with a wrong check digit', () => expect(codeOf('123456789')).toBe('organisation-number-check-digit'));
  it('agrees with stdnum for every nine digits', () =>
    fc.assert(
      fc.property(fc.stringMatching(/^[0-9]{9}$/), (digits) => {
        expect(isOrganisationNumber(digits)).toBe(orgnr.validate(digits).isValid);
      }),
      { numRuns: 2000 },
    ));
  it('has at most one check digit for a prefix, and none for one prefix in eleven', () => {
    let without = 0;
    for (let prefix = 97476000; prefix < 97476000 + 1100; prefix++) {
      const valid = [...'0123456789'].filter((digit) => isOrganisationNumber(`${prefix}${digit}`)).length;
      expect(valid).toBeLessThanOrEqual(1);
      if (valid === 0) without++;
    }
    expect(without).toBe(100);
  });
  it.each([
    '974 760 673',
    ' 974760673 ',
    'NO 974 760 673 MVA',
    'NO974760673MVA',
    '974.760.673',
    '974\u00a0760\u00a0673',
  ])('is read from %j', (input) =>
    expect(parseOrganisationNumber(input)).toEqual({ ok: true, value: '974760673', warnings: [] }),
  );
  it.each(['', '97476067', '9747606731', '97476067x', 'NO'])('is refused when it is %j', (input) =>
    expect(codeOf(input)).toBe('organisation-number-shape'),
  );
  it('warns of every valid one that begins with 2 or 3', () => {
    const synthetic = Array.from({ length: 11 }, (_, i) => 31000000 + i)
      .flatMap((prefix) => [...'0123456789'].map((digit) => `${prefix}${digit}`))
      .filter(isOrganisationNumber);
    expect(synthetic.length).toBe(10);
    for (const number of synthetic) expect(codeOf(number)).toBe('organisation-number-synthetic');
  });
  it('of another country is kept as entered, with a warning', () => {
    expect(parseOrganisationNumber(' HRB 12345 ', { country: 'DE' })).toMatchObject({ ok: true, value: 'HRB 12345' });
    expect(codeOf('HRB 12345', 'DE')).toBe('organisation-number-not-checked');
    expect(codeOf('<script>', 'DE')).toBe('organisation-number-shape');
  });
  it('is printed in groups of three', () => {
    expect(formatOrganisationNumber('974760673')).toBe('974 760 673');
    expect(formatOrganisationNumber('HRB 12345')).toBe('HRB 12345');
  });
});
