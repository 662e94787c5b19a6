import Big from 'big.js';

/**
 * Quantity × unit price, exactly, as a decimal string without exponent. Never rounded: sums over many lines must equal the
 * sums of the source to the cent.
 */
export const amountOf = ({ quantity, unitPrice }: { quantity: string; unitPrice: string }): string =>
  decimal(new Big(quantity).times(unitPrice));

/** A decimal with at least two places, as money is written: `12.5` → `12.50`, `0.125` stays. */
export const decimal = (value: Big): string => {
  const text = value.toFixed();
  const places = text.includes('.') ? text.length - text.indexOf('.') - 1 : 0;
  return places < 2 ? value.toFixed(2) : text;
};
