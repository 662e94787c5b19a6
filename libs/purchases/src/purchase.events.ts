import type { SourceKey } from '#companies';
import type { Region, Sector } from '#customers';
import { event, personal, plain, reference } from '#events';
import type { PostalAddress } from '#formats';
import type { CompanyId, CustomerId, Day } from '#kernel';

export type LineKind = 'product' | 'service';

/** Who bought: a company, or the person themselves. Which of the two, the purchase's `sector` says. */
export type BuyerId = CompanyId | CustomerId;

/** What analysts may know about one line. `quantity` and `amount` are exact decimals; `amount` is quantity × unit price, net of VAT,
 * in the currency's own digits. */
export interface LineFacts {
  readonly kind: LineKind;
  readonly itemType: string;
  readonly quantity: string;
  readonly amount: string;
}

/** What the service desk needs to help afterwards; same order as the line facts. */
export interface PurchasedItem {
  readonly description: string;
  readonly serialNumber: string | null;
  readonly guaranteeUntil: Day | null;
}

/** The dates that the contact person's part is kept by, so that it needs nothing of the buyer's. */
export interface SupportTerms {
  readonly takenOverAt: string | null;
  readonly guaranteeUntil: Day | null;
}

/**
 * Something was bought. The facts stand in clear; who, what exactly and when to the minute are sealed: for the buyer, and in
 * a block of its own for the contact person of a company, so that forgetting the contact leaves the company's history whole.
 * A purchase that was already past its maximum when it came has the facts alone.
 */
export const PurchaseRecorded = event('purchase.recorded', 1, {
  day: plain<Day>('The day of a sale, shared by all sales of that day.'),
  sector: plain<Sector>('Private or business: half of all sales share it.'),
  region: plain<Region>(
    'Two digits of a postal code cover tens of thousands of people; foreign regions are one value.',
  ),
  firstPurchase: plain<boolean>('First or repeat purchase: a yes or no.'),
  currency: plain<string>('An ISO 4217 code that nearly all sales share.'),
  lines: plain<readonly LineFacts[]>(
    'Kind and type of goods, number and price: facts about the business, the same for any buyer.',
  ),
  buyerId: reference<BuyerId | null>('purchase', { owner: 'buyer' }),
  purchasedAt: personal<string | null>('purchase', { owner: 'buyer' }),
  takenOverAt: personal<string | null>('purchase', { owner: 'buyer' }),
  items: personal<readonly PurchasedItem[] | null>('purchase', { owner: 'buyer' }),
  sourceKey: personal<SourceKey | null>('purchase', { owner: 'buyer', source: 'register' }),
  /** The contact person of the company that bought; null when the buyer is the person. */
  contactId: reference<CustomerId | null>('purchase', { owner: 'contact' }),
  contactTerms: personal<SupportTerms | null>('purchase', { owner: 'contact' }),
});

/** The buyer as an invoice must name it: with an address or an organisation number (bokføringsforskriften § 5-1-2). */
export interface InvoicedBuyer {
  readonly name: string;
  readonly organisationNumber: string | null;
  readonly address: PostalAddress | null;
}

/** Nature, extent and price of what was delivered (bokføringsforskriften § 5-1-1 no. 3 and 5). Exact decimals. */
export interface InvoiceLine {
  readonly description: string;
  readonly quantity: string;
  readonly unitPrice: string;
  readonly amount: string;
  /** Per cent; null where no VAT applies or the source does not say. */
  readonly vatRate: string | null;
}

/** A voucher as the Bookkeeping Act wants it kept (bokføringsloven §§ 10, 13; content: bokføringsforskriften § 5-1-1). */
export interface Invoice {
  readonly number: string;
  readonly date: Day;
  readonly dueDate: Day | null;
  /** When and where the goods were handed over. */
  readonly delivery: { readonly date: Day; readonly place: string | null } | null;
  readonly currency: string;
  readonly buyer: InvoicedBuyer;
  readonly lines: readonly InvoiceLine[];
}

/**
 * The purchase was invoiced and the voucher is held here. Sealed for the buyer under a key of its own that the law keeps
 * five years after the fiscal year, while everything else about the purchase may be gone. A contact person is not part of it.
 */
export const PurchaseInvoiced = event('purchase.invoiced', 1, {
  billedId: reference<BuyerId>('billing', { owner: 'buyer' }),
  /** Whether a company or a person was billed: with `billedId`, the owner. */
  sector: plain<Sector>('Private or business: half of all sales share it.'),
  invoice: personal<Invoice>('billing', { owner: 'buyer' }),
  /** Stands here when the support part was past its maximum, so that an import can still be repeated. */
  sourceKey: personal<SourceKey | null>('billing', { owner: 'buyer', source: 'register' }),
});

/** Everything that a `purchase-` stream may hold. */
export const purchaseEvents = [PurchaseRecorded, PurchaseInvoiced];
