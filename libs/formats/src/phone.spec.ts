import { formatPhone, parsePhone, phoneLookupForm } from './phone.js';

const valueOf = (input: string, options = {}) => {
  const parsed = parsePhone(input, options);
  return parsed.ok ? parsed.value : parsed.problems[0]?.code;
};

describe('a telephone number', () => {
  it.each([
    ['53668600', '+4753668600'],
    ['90012345', '+4790012345'],
    ['004790012345', '+4790012345'],
    ['4790012345', '+4790012345'],
    ['+47 900 12 345', '+4790012345'],
    ['900 12 345', '+4790012345'],
    ['+46 8 651 52 52', '+4686515252'],
    ['+44 020 7707 0707', '+442077070707'],
  ])('%s is %s', (input, e164) => expect(valueOf(input)).toBe(e164));

  it.each(['12345678', '116117', '580012345678', '', 'ring meg', '90012345 eller 90012346', '90012345 ext. 7'])(
    '%j is refused',
    (input) => expect(valueOf(input)).toBe('phone-not-valid'),
  );

  it.each(['02800', '81500000', '80012345'])('%s is a company’s, never a person’s', (input) => {
    expect(valueOf(input)).toBe('phone-company-only');
    expect(parsePhone(input, { company: true }).ok).toBe(true);
  });

  it('without a country code belongs to the default country', () => {
    expect(valueOf('08-651 52 52', { defaultCountry: 'SE' })).toBe('+4686515252');
    expect(valueOf('08-651 52 52')).toBe('phone-not-valid');
  });

  it.each(['+453 3331 9991', '+56 (0)2 635 4444', '+91 0124 39883988'])(
    '%s, which no plan knows, is kept where the policy says so',
    (input) => {
      expect(valueOf(input)).toBe('phone-not-valid');
      expect(parsePhone(input, { unknownForeign: 'keep' })).toMatchObject({
        ok: true,
        value: input,
        warnings: [{ code: 'phone-not-recognised' }],
      });
    },
  );

  it.each(['+47 123', '12345678', '0047 12345678', '+1', '+46 <b>', '+46 12 34 56 ring'])(
    '%j is refused even then',
    (input) => expect(valueOf(input, { unknownForeign: 'keep' })).toBe('phone-not-valid'),
  );

  it('is shown in Norwegian groups, or internationally', () => {
    expect(formatPhone('+4790012345')).toBe('900 12 345');
    expect(formatPhone('+4753668600')).toBe('53 66 86 00');
    expect(formatPhone('+4686515252')).toBe('+46 8 651 52 52');
    expect(formatPhone('+4702800')).toBe('02800');
    expect(formatPhone('+453 3331 9991')).toBe('+453 3331 9991');
  });

  it('is found however it was written', () => {
    expect(
      new Set(['90012345', '+47 900 12 345', '0047 90012345', '４７90012345'].map((p) => phoneLookupForm(p))),
    ).toEqual(new Set(['+4790012345']));
    expect(phoneLookupForm('+453 3331 9991')).toBe(phoneLookupForm('00453-3331-9991'));
    expect(phoneLookupForm('02800')).toBe('+4702800');
  });
});
