import Big from 'big.js';
import fc from 'fast-check';
import { amountOf, decimal } from './amounts.js';

describe('amounts', () => {
  it.each([
    ['3', '19.99', '59.97'],
    ['1', '12.5', '12.50'],
    ['0.5', '0.25', '0.125'],
    ['-1', '10', '-10.00'],
    ['1000000000', '1000000000', '1000000000000000000.00'],
  ])('%s × %s = %s', (quantity, unitPrice, amount) => expect(amountOf({ quantity, unitPrice })).toBe(amount));

  it('are exact: nothing is lost between cents and text', () => {
    fc.assert(
      fc.property(fc.integer(), fc.nat({ max: 4 }), (units, scale) => {
        const value = new Big(units).div(new Big(10).pow(scale));
        expect(new Big(decimal(value)).eq(value)).toBe(true);
      }),
    );
  });
});
