import { readValues } from './given-values.js';
import { needlesOf } from './needles.js';
import { spellingsOf } from './spellings.js';

describe('the values to look for', () => {
  it('are lines, or all texts and numbers of a JSON document', () => {
    expect(readValues('Kari Nordmann\r\n\n kari@example.no \nKari Nordmann\n')).toEqual([
      'Kari Nordmann',
      'kari@example.no',
    ]);
    expect(readValues('{"name":"Kari Nordmann","phones":["90012345"],"n":1234567}')).toEqual([
      'Kari Nordmann',
      '90012345',
      '1234567',
    ]);
    expect(readValues('[a line that begins so')).toEqual(['[a line that begins so']);
    expect(readValues('')).toEqual([]);
  });

  it('are refused by their number when they are so short that they stand everywhere', () => {
    expect(() => readValues('Kari Nordmann\nKari')).toThrow(/Value 2 has fewer/);
    expect(() => readValues('Kari Nordmann\nKari')).not.toThrow(/Kari/);
  });

  const found = (value: string, content: Buffer) => needlesOf([value]).some(({ bytes }) => content.includes(bytes));

  it.each([
    ['UTF-8', Buffer.from('Åse Bjørnsæter')],
    ['lower-cased', Buffer.from('åse bjørnsæter')],
    ['upper-cased', Buffer.from('ÅSE BJØRNSÆTER')],
    ['UTF-16LE', Buffer.from('Åse Bjørnsæter', 'utf16le')],
    ['UTF-16BE', Buffer.from('Åse Bjørnsæter', 'utf16le').swap16()],
    ['Latin-1', Buffer.from('Åse Bjørnsæter', 'latin1')],
    ['NFD', Buffer.from('Åse Bjørnsæter'.normalize('NFD'))],
    ['without diacritics', Buffer.from('Ase Bjornsaeter')],
    ['transliterated', Buffer.from('aase bjoernsaeter')],
    ['JSON', Buffer.from('\\u00c5se Bj\\u00f8rns\\u00e6ter')],
    ['JSON, upper-case', Buffer.from('\\u00C5se Bj\\u00F8rns\\u00E6ter')],
    ['URL', Buffer.from('%C3%85se%20Bj%C3%B8rns%C3%A6ter')],
    ['URL, lower-case', Buffer.from('%c3%85se%20Bj%c3%b8rns%c3%a6ter')],
    ['form', Buffer.from('%C3%85se+Bj%C3%B8rns%C3%A6ter')],
    ['hex', Buffer.from(Buffer.from('Åse Bjørnsæter').toString('hex'))],
    ['hex, upper-case', Buffer.from(Buffer.from('Åse Bjørnsæter').toString('hex').toUpperCase())],
  ])('are found as %s', (_, content) => expect(found('Åse Bjørnsæter', content)).toBe(true));

  it.each([0, 1, 2])('are found in base64 and base64url at offset %d', (offset) => {
    for (const alphabet of ['base64', 'base64url'] as const)
      for (const value of ['Åse Bjørnsæter', 'ab?>~~', 'abcdef'])
        for (const behind of ['', 'x', 'xy', 'xyz'])
          expect(
            found(value, Buffer.from(Buffer.from(`${'.'.repeat(offset)}${value}${behind}`).toString(alphabet))),
          ).toBe(true);
  });

  it.each([
    '90012345',
    '+47 90 01 23 45',
    '900 12 345',
    '4790012345',
    '+4790012345',
    '900-12-345',
    '9001 2345',
    '900\u00a012\u00a0345',
  ])('are found as a telephone number in any grouping: %s', (spelling) => {
    for (const given of ['+4790012345', '900 12 345', '0047 90012345'])
      expect(found(given, Buffer.from(spelling))).toBe(true);
  });

  it('are found in a longer row of digits too: in PostgreSQL’s jsonb values stand without anything between them', () => {
    expect(found('+4790012345', Buffer.from('phone9001234512'))).toBe(true);
  });

  it('have each spelling once', () => {
    const texts = spellingsOf('plain').map(({ text }) => text);
    expect(texts).toEqual(['plain', 'PLAIN']);
  });
});
