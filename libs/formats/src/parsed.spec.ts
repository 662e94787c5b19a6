import fc from 'fast-check';
import { parseDay, parseInstant } from './day.js';
import { parseEmail } from './email.js';
import { parseDecimal } from './money.js';
import { parseFreeText } from './national-id.js';
import { parseOrganisationNumber } from './organisation-number.js';
import { parsePhone } from './phone.js';
import { parsePostalAddress } from './postal-address.js';

/** A mark that no message can hold by chance. */
const MARK = 'zqxjvk';
const marked = fc.oneof(
  fc.string().map((text) => `${MARK}${text}`),
  fc.string().map((text) => `${text}${MARK}`),
  fc.constantFrom(`+47 ${MARK}`, `${MARK}@`, `2026-${MARK}`, MARK.repeat(3000)),
);

describe('what is said about an input', () => {
  it('never repeats it', () =>
    fc.assert(
      fc.property(marked, (input) => {
        const outcomes = [
          parseOrganisationNumber(input),
          parseOrganisationNumber(input, { country: 'SE' }),
          parsePhone(input),
          parsePhone(input, { unknownForeign: 'keep', company: true }),
          parseEmail(input),
          parseDay(input, 'day'),
          parseInstant(input, 'instant'),
          parseDecimal(input, 'amount'),
          parseFreeText(input, 'description', { maxLength: 20 }),
          parsePostalAddress({ street: input, postalCode: input, city: input, country: input }),
          parsePostalAddress({ postalCode: '5627', city: input }),
        ];
        const said = outcomes.map((outcome) => (outcome.ok ? outcome.warnings : outcome.problems));
        expect(JSON.stringify(said)).not.toContain(MARK);
      }),
    ));
});
