import { InputReading, accepted, parseFreeText, refused } from '#formats';
import type { CustomerId, PurchaseId } from '#kernel';
import type { Policy } from '#policy';
import { parseItemType } from '#purchases';
import type { CaseKind } from './service-case.events.js';

/** A service case as a request gives it, before anything was checked. */
export interface ServiceCaseInput {
  readonly customerId: CustomerId;
  readonly purchaseId?: PurchaseId | null | undefined;
  readonly kind: CaseKind;
  readonly item: { readonly itemType: string; readonly serialNumber?: string | null | undefined };
  readonly description: string;
}

/** What was read of a case: the type of goods in clear, the rest for the person alone. */
export interface ReadCase {
  readonly itemType: string;
  readonly serialNumber: string | null;
  readonly description: string;
}

/** Reads a case. Throws `invalid-input` with every problem; a national id in the text is one. */
export const readCase = (policy: Policy, input: ServiceCaseInput): ReadCase => {
  const reading = new InputReading(policy.checkFields('serviceCase', input));
  const read = {
    itemType: reading.optional(input.item?.itemType, (text) => parseItemType(text, 'item.itemType')) ?? '',
    serialNumber: reading.optional(input.item?.serialNumber, (text) =>
      text.trim().length <= 100
        ? accepted(text.trim())
        : refused('item.serialNumber', 'too-long', 'Give at most 100 characters.'),
    ),
    description: reading.optional(input.description, (text) => parseFreeText(text, 'description')) ?? '',
  };
  if (read.itemType === '' && !input.item?.itemType?.trim())
    reading.take(refused('item.itemType', 'required', 'Say which type of goods or service it is about.'));
  reading.done();
  return read;
};

/** Reads a note. Throws `invalid-input`. */
export const readNote = (text: string): string => {
  const reading = new InputReading();
  const note = reading.optional(text, (given) => parseFreeText(given, 'text'));
  if (note === null && text.trim() === '') reading.take(refused('text', 'required', 'Write something.'));
  reading.done();
  return note!;
};
