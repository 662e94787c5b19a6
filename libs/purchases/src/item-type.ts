import type { Parsed } from '#formats';
import { accepted, refused } from '#formats';

/** Letters, digits and the signs of catalogue names (`R&B/Soul`, `Sci Fi & Fantasy`, `kulelager 6204-2RS`). */
const NAME = /^[\p{L}\p{N}](?:[\p{L}\p{N} &/+.,'()-]{0,58}[\p{L}\p{N})+])?$/u;
/** Eight digits are a telephone number, nine an organisation number: no catalogue needs that many in a type's name. */
const LONG_NUMBER = /\d(?:[ .-]?\d){6,}/;

/**
 * Reads a type of goods or service from the seller's catalogue. It stands in clear in the log and in the analysts' tables, so
 * it must be a short name that says nothing about a person; what exactly was bought belongs in the description.
 */
export const parseItemType = (input: string, path: string): Parsed<string> => {
  const text = input.normalize('NFC').trim();
  return NAME.test(text) && !LONG_NUMBER.test(text)
    ? accepted(text)
    : refused(
        path,
        'item-type-shape',
        'Give a short type from your catalogue: 60 letters and digits at most, no long numbers, no @.',
      );
};
