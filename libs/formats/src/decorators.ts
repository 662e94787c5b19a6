import type { ValidationOptions } from 'class-validator';
import { ValidateBy } from 'class-validator';
import { isDay, isInstant } from './day.js';
import { isCurrency, isDecimal } from './money.js';
import { holdsNationalId } from './national-id.js';

/** Decorators for what is right or wrong whatever the policy says; what depends on the policy is parsed by the command. */
const textRule =
  (name: string, message: string, valid: (text: string) => boolean) =>
  (options?: ValidationOptions): PropertyDecorator =>
    ValidateBy(
      {
        name,
        validator: { validate: (value) => typeof value === 'string' && valid(value), defaultMessage: () => message },
      },
      options,
    );

/** A day of the calendar, `YYYY-MM-DD`. */
export const IsDay = textRule('isDay', 'Give a day of the calendar as YYYY-MM-DD.', isDay);
/** An instant of RFC 3339 with its offset. */
export const IsInstant = textRule(
  'isInstant',
  'Give an instant with its offset, as in 2026-03-10T09:30:00Z (RFC 3339).',
  isInstant,
);
/** A day, or an instant. */
export const IsDayOrInstant = textRule(
  'isDayOrInstant',
  'Give a day as YYYY-MM-DD, or an instant with its offset (RFC 3339).',
  (text) => isDay(text) || isInstant(text),
);
/** A decimal string such as `1234.50`. */
export const IsDecimalText = textRule('isDecimalText', 'Give a decimal string such as "1234.50".', isDecimal);
/** A currency of ISO 4217, in capitals. */
export const IsCurrencyCode = textRule('isCurrencyCode', 'Give a currency of ISO 4217, as in NOK.', isCurrency);
/** Free text without an eleven-digit national id: the statement doesn't collect it. */
export const HoldsNoNationalId = textRule(
  'national-id-refused',
  'The text contains an eleven-digit national id, which we do not collect. Take it out.',
  (text) => !holdsNationalId(text),
);
