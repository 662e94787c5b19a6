import { idnr } from '@navikt/fnrvalidator';
import type { Parsed } from './parsed.js';
import { accepted, refused } from './parsed.js';

/** A run of digits, with at most three separating characters between neighbours. */
const RUN = /\d(?:[\s.,\-/_:]{0,3}\d)*/gu;

/**
 * Whether a text holds a valid eleven-digit national id (fødselsnummer, D-, H- or test number), also with spaces, dots or
 * hyphens inside. Eleven digits inside a longer unbroken number (an order, an IBAN) are none; check digits and date decide the rest.
 */
export const holdsNationalId = (text: string): boolean => {
  // Full-width digits become digits; invisible characters between them must hide nothing.
  const plain = text.normalize('NFKC').replace(/[\p{Cf}]/gu, '');
  return [...plain.matchAll(RUN)].some(([run]) => {
    const groups = run.split(/\D+/);
    return groups.some((_, from) => {
      let digits = '';
      for (const group of groups.slice(from)) {
        digits += group;
        if (digits.length >= 11) return idnr(digits).status === 'valid';
      }
      return false;
    });
  });
};

/**
 * Free text that is to be stored. A national id in it is refused: the statement doesn't collect it (data minimisation).
 * The text is kept as it is.
 */
export const parseFreeText = (input: string, path: string, { maxLength = 10_000 } = {}): Parsed<string> => {
  if (input.length > maxLength) return refused(path, 'too-long', `Give at most ${maxLength} characters.`);
  if (holdsNationalId(input))
    return refused(
      path,
      'national-id-refused',
      'The text contains an eleven-digit national id, which we do not collect. Take it out.',
    );
  return accepted(input);
};
