import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import type { CustomerId } from '#kernel';
import type { PurchaseInput } from '#purchases';
import { ADDRESS, IdField, OpenedField, PageOf, WordField } from '../http/answer-fields.js';
import { CalendarDay, Choice, Currency, Decimal, Id, ListOf, Nested, Text } from '../http/fields.js';

/** Which fields must be there, the policy says; here is only their form. */
const given = { optional: true, nullable: true } as const;
const MOMENT = 'A day (YYYY-MM-DD) or an instant with its offset (RFC 3339)';

export class PurchaseLineBody {
  @Choice(['product', 'service']) kind!: 'product' | 'service';
  @Text({ max: 60, description: 'A short type from your catalogue. Stands in clear: nothing about a person' })
  itemType!: string;
  @Text({ ...given, max: 500 }) description?: string | null;
  @Decimal({ digits: 6, signed: true, description: 'Negative in a credit note' }) quantity!: string;
  @Decimal({ digits: 6, signed: true, description: 'Net of VAT, in the currency of the purchase' }) unitPrice!: string;
  @Decimal({ ...given, description: 'Per cent' }) vatRate?: string | null;
  @Text({ ...given, max: 100 }) serialNumber?: string | null;
  @CalendarDay(given) guaranteeUntil?: string | null;
}

export class DeliveryBody {
  @CalendarDay() date!: string;
  @Text({ ...given, max: 100 }) place?: string | null;
}

export class InvoiceBody {
  @Text({ max: 100 }) number!: string;
  @CalendarDay() date!: string;
  @CalendarDay(given) dueDate?: string | null;
  @Nested(() => DeliveryBody, given) delivery?: DeliveryBody | null;
}

export class PurchaseBody {
  @Id() customerId!: string;
  @Text({ max: 40, description: MOMENT }) purchasedAt!: string;
  @Text({ ...given, max: 40, description: `${MOMENT}; without it, the purchase’s` }) takenOverAt?: string | null;
  @ListOf(() => PurchaseLineBody, { max: 500 }) lines!: PurchaseLineBody[];
  @Currency() currency!: string;
  @Nested(() => InvoiceBody, given) invoice?: InvoiceBody | null;
}

/** The body as the command takes it: its ids were checked by their form. */
export const purchaseInputOf = (body: PurchaseBody): PurchaseInput => ({
  ...body,
  customerId: body.customerId as CustomerId,
});

const text = { type: 'string' } as const;
const textOrNull = { type: 'string', nullable: true } as const;
const day = { type: 'string', format: 'date' } as const;
const dayOrNull = { ...day, nullable: true } as const;
const object = (properties: object, nullable = false) => ({
  type: 'object',
  required: Object.keys(properties),
  properties,
  ...(nullable ? { nullable } : {}),
});

const ITEM = object({ description: text, serialNumber: textOrNull, guaranteeUntil: dayOrNull });
const VOUCHER = object({
  number: text,
  date: day,
  dueDate: dayOrNull,
  delivery: object({ date: day, place: textOrNull }, true),
  currency: text,
  buyer: object({ name: text, organisationNumber: textOrNull, address: { ...ADDRESS, nullable: true } }),
  lines: {
    type: 'array',
    items: object({ description: text, quantity: text, unitPrice: text, amount: text, vatRate: textOrNull }),
  },
});
const FOR_THE_BOOKS = { description: 'With the bookkeeping purpose' } as const;

export class PurchaseLineAnswer {
  @WordField(['product', 'service']) kind!: string;
  @ApiProperty() itemType!: string;
  @OpenedField({ schema: ITEM }) item!: unknown;
  @ApiPropertyOptional(FOR_THE_BOOKS) quantity?: string;
  @ApiPropertyOptional(FOR_THE_BOOKS) amount?: string;
}

/** A purchase: type and time first; amounts and the voucher with the bookkeeping purpose. */
export class PurchaseAnswer {
  @IdField() purchaseId!: string;
  @ApiProperty({ format: 'date' }) day!: string;
  @WordField(['private', 'business']) sector!: string;
  @OpenedField() purchasedAt!: unknown;
  @OpenedField() takenOverAt!: unknown;
  @OpenedField({ description: 'The company if one bought, else the person' }) buyerId!: unknown;
  @OpenedField({ description: 'The contact person of the company' }) contactId!: unknown;
  @ApiProperty({ type: () => PurchaseLineAnswer, isArray: true }) lines!: PurchaseLineAnswer[];
  @ApiPropertyOptional(FOR_THE_BOOKS) currency?: string;
  @OpenedField({ schema: VOUCHER, ...FOR_THE_BOOKS, required: false }) invoice?: unknown;
}

export class PurchasePageAnswer extends PageOf(PurchaseAnswer) {}

export class PurchaseRecordedAnswer {
  @IdField() purchaseId!: string;
  @ApiPropertyOptional({
    type: String,
    isArray: true,
    description: 'Categories that were past their maximum when it came: not stored',
  })
  notStored?: string[];
}
