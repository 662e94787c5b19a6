import type { SourceKey } from '#companies';
import type { Region, Sector } from '#customers';
import type { Draft } from '#events';
import { lineAmount } from '#formats';
import type { CompanyId, CustomerId, Day, Opened, OwnerRef, PurchaseId } from '#kernel';
import { companyOwner, subjectOwner } from '#kernel';
import type { Decider, RecordedEvent, StreamName } from '#ledger';
import { isEvent } from '#ledger';
import type { BuyerId, Invoice, InvoicedBuyer, LineKind } from './purchase.events.js';
import { PurchaseInvoiced, PurchaseRecorded } from './purchase.events.js';

/** A purchase as far as others ask for it: whether it was recorded, and whose it is. */
export type Purchase =
  | { readonly status: 'unknown' }
  | {
      readonly status: 'recorded';
      readonly sector: Sector;
      readonly lines: readonly { readonly itemType: string }[];
      readonly buyerId: Opened<BuyerId | null>;
      readonly contactId: Opened<CustomerId | null>;
    };

export const purchaseStream = (id: PurchaseId): StreamName => `purchase-${id}`;

export const purchase: Decider<Purchase> = {
  initial: { status: 'unknown' },
  evolve(state: Purchase, event: RecordedEvent): Purchase {
    if (!isEvent(event, PurchaseRecorded)) return state;
    const { sector, lines, buyerId, contactId } = event.data;
    return { status: 'recorded', sector, lines, buyerId, contactId };
  },
};

/** Whose purchase it is. A company has a contact person; a person buying for themselves has none. */
export type Buyer =
  | { readonly kind: 'company'; readonly companyId: CompanyId; readonly contactId: CustomerId }
  | { readonly kind: 'person'; readonly customerId: CustomerId };

/** A line as the seller's system gives it: decimals as text. */
export interface PurchaseLine {
  readonly kind: LineKind;
  readonly itemType: string;
  readonly description: string;
  readonly quantity: string;
  readonly unitPrice: string;
  readonly vatRate: string | null;
  readonly serialNumber: string | null;
  readonly guaranteeUntil: Day | null;
}

export interface PurchaseDetails {
  readonly buyer: Buyer;
  readonly day: Day;
  readonly purchasedAt: string;
  readonly takenOverAt: string | null;
  readonly currency: string;
  readonly region: Region;
  readonly firstPurchase: boolean;
  readonly lines: readonly PurchaseLine[];
  /** Absent: not invoiced by us, or the vouchers are held elsewhere. */
  readonly invoice:
    (Pick<Invoice, 'number' | 'date' | 'dueDate' | 'delivery'> & { readonly buyer: InvoicedBuyer }) | null;
  readonly sourceKey: SourceKey | null;
  /** What is already past its maximum and therefore not stored; the facts always are. */
  readonly pastMaximum: ReadonlySet<'purchase' | 'billing'>;
}

/**
 * Records a purchase: facts, what support needs, and the voucher. Once: the id is reserved, so a stream that exists is this
 * command's own earlier attempt.
 */
export const recordPurchase = (state: Purchase, details: PurchaseDetails): Draft<any>[] => {
  if (state.status === 'recorded') return [];
  const support = !details.pastMaximum.has('purchase');
  const voucher = details.invoice !== null && !details.pastMaximum.has('billing');
  return [recorded(details, support), ...(voucher ? [invoiced(details, support)] : [])];
};

const recorded = (details: PurchaseDetails, support: boolean): Draft<any> => {
  const { buyer, day, region, firstPurchase, currency, lines, purchasedAt, takenOverAt } = details;
  const facts = {
    day,
    sector: sectorOf(buyer),
    region,
    firstPurchase,
    currency,
    lines: lines.map((line) => ({
      kind: line.kind,
      itemType: line.itemType,
      quantity: line.quantity,
      amount: lineAmount(line.quantity, line.unitPrice, currency),
    })),
  };
  if (!support) {
    const nothing = { buyerId: null, purchasedAt: null, takenOverAt: null, items: null, sourceKey: null };
    return PurchaseRecorded.of({ ...facts, ...nothing, contactId: null, contactTerms: null });
  }
  const items = lines.map(({ description, serialNumber, guaranteeUntil }) => ({
    description,
    serialNumber,
    guaranteeUntil,
  }));
  const forBuyer = { buyerId: idOf(buyer), purchasedAt, takenOverAt, items, sourceKey: details.sourceKey };
  if (buyer.kind === 'person')
    return PurchaseRecorded.of(
      { ...facts, ...forBuyer, contactId: null, contactTerms: null },
      { owners: { buyer: ownerOf(buyer) } },
    );
  const guarantees = lines.flatMap((line) => line.guaranteeUntil ?? []);
  const contactTerms = { takenOverAt, guaranteeUntil: guarantees.sort().at(-1) ?? null };
  return PurchaseRecorded.of(
    { ...facts, ...forBuyer, contactId: buyer.contactId, contactTerms },
    { owners: { buyer: ownerOf(buyer), contact: subjectOwner(buyer.contactId) } },
  );
};

const invoiced = ({ buyer, invoice, currency, lines, sourceKey }: PurchaseDetails, support: boolean): Draft<any> => {
  const { number, date, dueDate, delivery, buyer: named } = invoice!;
  return PurchaseInvoiced.of(
    {
      billedId: idOf(buyer),
      sector: sectorOf(buyer),
      invoice: {
        ...{ number, date, dueDate, delivery, currency, buyer: named },
        lines: lines.map((line) => ({
          description: line.description,
          quantity: line.quantity,
          unitPrice: line.unitPrice,
          amount: lineAmount(line.quantity, line.unitPrice, currency),
          vatRate: line.vatRate,
        })),
      },
      sourceKey: support ? null : sourceKey,
    },
    { owners: { buyer: ownerOf(buyer) } },
  );
};

export const sectorOf = (buyer: Buyer): Sector => (buyer.kind === 'company' ? 'business' : 'private');
const idOf = (buyer: Buyer): BuyerId => (buyer.kind === 'company' ? buyer.companyId : buyer.customerId);
const ownerOf = (buyer: Buyer): OwnerRef =>
  buyer.kind === 'company' ? companyOwner(buyer.companyId) : subjectOwner(buyer.customerId);
