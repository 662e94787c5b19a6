import { isCountry, parsePostalAddress, postalRegion, registeredCity } from './postal-address.js';

const codes = (parsed: ReturnType<typeof parsePostalAddress>) =>
  (parsed.ok ? parsed.warnings : parsed.problems).map(({ path, code }) => `${path}:${code}`);

describe('a postal address', () => {
  it.each([
    ['5627', 'JONDAL'],
    ['5626', 'KYSNESSTRAND'],
    ['5630', 'STRANDEBARM'],
    ['0001', 'OSLO'],
    ['9008', 'TROMSØ'],
  ])('%s is %s', (postalCode, city) => {
    expect(registeredCity(postalCode)).toBe(city);
    expect(codes(parsePostalAddress({ street: 'Veien 1', postalCode, city }))).toEqual([]);
  });
  it('is kept as entered, trimmed', () =>
    expect(parsePostalAddress({ street: ' Sjøvegen 1 ', postalCode: ' 0001', city: 'Oslo' })).toEqual({
      ok: true,
      value: { street: 'Sjøvegen 1', postalCode: '0001', city: 'Oslo' },
      warnings: [],
    }));
  it('with another place than the register’s is a warning', () =>
    expect(codes(parsePostalAddress({ postalCode: '5627', city: 'Odda' }))).toEqual(['address.city:city-mismatch']));
  it('with a code that the register doesn’t know is refused, unless that is overridden', () => {
    expect(parsePostalAddress({ postalCode: '0000' })).toMatchObject({ ok: false });
    expect(codes(parsePostalAddress({ postalCode: '0000' }))).toEqual(['address.postalCode:postal-code-unknown']);
    expect(parsePostalAddress({ postalCode: '0000' }, { unknownPostalCode: 'keep' })).toMatchObject({ ok: true });
  });
  it.each(['627', '05627', '56 27', 'N-5627', 'toString', '__proto__'])('refuses the code %j in Norway', (postalCode) =>
    expect(codes(parsePostalAddress({ postalCode }, { path: 'company.address' }))).toEqual([
      'company.address.postalCode:postal-code-shape',
    ]),
  );
  it('knows no place called toString', () => expect(registeredCity('toString')).toBeUndefined());
  it('is not looked up abroad', () => {
    expect(codes(parsePostalAddress({ postalCode: 'H2G 1A7', city: 'Montréal', country: 'CA' }))).toEqual([]);
    expect(codes(parsePostalAddress({ postalCode: '00530', city: 'Helsinki' }, { defaultCountry: 'FI' }))).toEqual([]);
  });
  it('names every problem at once', () =>
    expect(
      codes(parsePostalAddress({ street: 'x'.repeat(201), city: 'x'.repeat(101), country: 'Norge', postalCode: '1' })),
    ).toEqual([
      'address.street:too-long',
      'address.city:too-long',
      'address.country:too-long',
      'address.country:country-unknown',
    ]));
  it('knows countries', () =>
    expect(['NO', 'SE', 'CL', 'XX', 'ZZ', 'EU', 'no', 'NOR', ''].map(isCountry)).toEqual([
      true,
      true,
      true,
      ...Array(6).fill(false),
    ]));
  it('gives two digits to analysts, and nothing abroad', () => {
    expect(postalRegion('5627')).toBe('56');
    expect(postalRegion('0171')).toBe('01');
    expect([
      postalRegion('10012-2612', 'US'),
      postalRegion('1010', 'AT'),
      postalRegion(undefined),
      postalRegion('x'),
    ]).toEqual(Array(4).fill(undefined));
  });
});
