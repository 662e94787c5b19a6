import { emailLookupForm, parseEmail } from './email.js';

describe('an e-mail address', () => {
  it.each([
    'ola.nordmann@firma.no',
    'Ola+web@Example.NO',
    'stanisław.wójcik@wp.pl',
    'a@b.co',
    "o'reilly@apple.ie",
    'x@blåbær.no',
    '2@3.example.com',
  ])('%s is accepted as entered', (input) =>
    expect(parseEmail(input)).toEqual({ ok: true, value: input, warnings: [] }),
  );
  it('is trimmed', () => expect(parseEmail('  a@b.no\n')).toMatchObject({ value: 'a@b.no' }));
  it.each([
    ...['', 'a', '@b.no', 'a@', 'a@b', 'a b@c.no', 'a@b c.no', '.a@b.no', 'a.@b.no', 'a..b@c.no', 'a@b..no', 'a@-b.no'],
    ...[
      'a@[127.0.0.1]',
      'a@127.0.0.1',
      'Ola <a@b.no>',
      'a@b.no, c@d.no',
      '"a b"@c.no',
      'a@b.no\u0000',
      'a@b@c.no',
      'a@b.no:25',
    ],
    ...[`${'a'.repeat(65)}@b.no`, `a@${'b'.repeat(250)}.no`, `a@${'b'.repeat(64)}.no`],
  ])('%j is refused', (input) =>
    expect(parseEmail(input)).toMatchObject({ ok: false, problems: [{ code: 'email-shape' }] }),
  );
  it('is found in any capitals and in either writing of its domain', () => {
    expect(emailLookupForm(' Ola@BLÅBÆR.no')).toBe(emailLookupForm('ola@xn--blbr-roah.no'));
    expect(emailLookupForm('OLA@firma.no')).toBe('ola@firma.no');
    expect(emailLookupForm('nothing')).toBe('nothing');
  });
});
