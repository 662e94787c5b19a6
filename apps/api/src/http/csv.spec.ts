import { toCsv } from './csv.js';

describe('CSV', () => {
  it('flattens, quotes, and says what is gone', () => {
    const items = [
      { id: 'a', price: { amount: '1.50', currency: 'NOK' }, note: 'x, "y"\nz', tags: ['p', 'q'] },
      { id: 'b', note: { $state: 'erased' }, other: null },
    ];
    expect(toCsv(items)).toBe(
      'id,price.amount,price.currency,note,tags,other\r\n' +
        'a,1.50,NOK,"x, ""y""\nz","[""p"",""q""]",\r\n' +
        'b,,,#erased,,\r\n',
    );
  });
  it('has its header without rows too', () => expect(toCsv([], ['id', 'name'])).toBe('id,name\r\n'));
  it.each([
    ['=1+1', `'=1+1`],
    ['@SUM(A1)', `'@SUM(A1)`],
    ['+cmd|calc', `'+cmd|calc`],
    ['-2+3', `'-2+3`],
    ['\t=1', `'\t=1`],
    ['+47 900 12 345', '+47 900 12 345'],
    ['-5.25', '-5.25'],
  ])('%j stands as %j', (text, cell) => expect(toCsv([{ a: text }])).toBe(`a\r\n${cell}\r\n`));
});
