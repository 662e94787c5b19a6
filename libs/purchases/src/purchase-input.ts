import type { Parsed } from '#formats';
import {
  InputReading,
  accepted,
  dayOf,
  isCurrency,
  isDay,
  parseDay,
  parseDecimal,
  parseFreeText,
  parseInstant,
  refused,
} from '#formats';
import type { CustomerId, Day } from '#kernel';
import type { Policy } from '#policy';
import { parseItemType } from './item-type.js';
import type { Invoice, LineKind } from './purchase.events.js';
import type { PurchaseLine } from './purchase.js';

type Given<T> = { readonly [K in keyof T]?: T[K] | null | undefined };

/** A purchase as a request gives it, before anything was checked. Decimals are text; days `YYYY-MM-DD`, instants RFC 3339. */
export interface PurchaseInput {
  readonly customerId: CustomerId;
  readonly purchasedAt: string;
  readonly takenOverAt?: string | null | undefined;
  readonly currency: string;
  readonly lines: readonly (Given<PurchaseLine> & {
    readonly kind: LineKind;
    readonly itemType: string;
    readonly quantity: string;
    readonly unitPrice: string;
  })[];
  readonly invoice?:
    | (Given<Omit<Invoice, 'delivery'>> & {
        readonly delivery?: Given<{ date: string; place: string }> | null | undefined;
      })
    | null
    | undefined;
}

/** What was read of a purchase. */
export interface ReadPurchase {
  readonly day: Day;
  readonly purchasedAt: string;
  readonly takenOverAt: string | null;
  readonly currency: string;
  readonly lines: readonly PurchaseLine[];
  readonly invoice: Pick<Invoice, 'number' | 'date' | 'dueDate' | 'delivery'> | null;
}

/** Reads a purchase. Throws `invalid-input` with every problem. `today` bounds what can have happened. */
export const readPurchase = (policy: Policy, input: PurchaseInput, today: Day): ReadPurchase => {
  const reading = new InputReading(policy.checkFields('purchase', input));
  const purchasedAt = reading.optional(input.purchasedAt, (text) => notLater(text, 'purchasedAt', today)) ?? today;
  const takenOverAt = reading.optional(input.takenOverAt, (text) => parseMoment(text, 'takenOverAt'));
  const lines = input.lines.map((line, index) => readLine(reading, line, `lines[${index}]`));
  const invoice = input.invoice ? readInvoice(reading, input.invoice) : null;
  if (!isCurrency(input.currency ?? ''))
    reading.take(refused('currency', 'currency-unknown', 'Give a currency of ISO 4217 in capitals, as in NOK.'));
  reading.done();
  return { day: dayOf(purchasedAt), purchasedAt, takenOverAt, currency: input.currency, lines, invoice };
};

const readLine = (reading: InputReading, line: PurchaseInput['lines'][number], path: string): PurchaseLine => ({
  kind: line.kind,
  itemType: reading.optional(line.itemType, (text) => parseItemType(text, `${path}.itemType`)) ?? '',
  description:
    reading.optional(line.description, (text) => parseFreeText(text, `${path}.description`, { maxLength: 500 })) ?? '',
  quantity:
    reading.optional(line.quantity, (text) =>
      parseDecimal(text, `${path}.quantity`, { zero: false, negative: true }),
    ) ?? '0',
  unitPrice:
    reading.optional(line.unitPrice, (text) => parseDecimal(text, `${path}.unitPrice`, { negative: true })) ?? '0',
  vatRate: reading.optional(line.vatRate, (text) => parseDecimal(text, `${path}.vatRate`)),
  serialNumber: reading.optional(line.serialNumber, (text) => shortText(text, `${path}.serialNumber`)),
  guaranteeUntil: reading.optional(line.guaranteeUntil, (text) => parseDay(text, `${path}.guaranteeUntil`)),
});

const readInvoice = (
  reading: InputReading,
  invoice: NonNullable<PurchaseInput['invoice']>,
): NonNullable<ReadPurchase['invoice']> => {
  const { delivery } = invoice;
  const delivered = delivery && reading.optional(delivery.date, (text) => parseDay(text, 'invoice.delivery.date'));
  if (delivery && !delivered)
    reading.take(refused('invoice.delivery.date', 'required', 'Say on which day the goods were handed over.'));
  return {
    number: reading.optional(invoice.number, (text) => shortText(text, 'invoice.number')) ?? '',
    date: reading.optional(invoice.date, (text) => parseDay(text, 'invoice.date')) ?? '',
    dueDate: reading.optional(invoice.dueDate, (text) => parseDay(text, 'invoice.dueDate')),
    delivery: delivered
      ? {
          date: delivered,
          place: reading.optional(delivery.place, (text) => shortText(text, 'invoice.delivery.place')),
        }
      : null,
  };
};

const parseMoment = (text: string, path: string): Parsed<string> =>
  isDay(text) ? accepted(text) : parseInstant(text, path);

const notLater = (text: string, path: string, today: Day): Parsed<string> => {
  const parsed = parseMoment(text, path);
  // Retention counts from this day: one in the future would be kept longer than the policy says.
  return parsed.ok && dayOf(parsed.value) > today
    ? refused(path, 'in-the-future', 'A purchase is recorded when it has happened.')
    : parsed;
};

const shortText = (text: string, path: string): Parsed<string> => {
  const trimmed = text.trim();
  return trimmed.length <= 100 ? accepted(trimmed) : refused(path, 'too-long', 'Give at most 100 characters.');
};
