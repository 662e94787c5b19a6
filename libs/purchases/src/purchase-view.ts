import type { Sector } from '#customers';
import type { Disclosure } from '#disclosure';
import type { CompanyId, CustomerId, Day, Opened, OwnerRef, PurchaseId } from '#kernel';
import { Personal, companyOwner, subjectOwner } from '#kernel';
import type { PurchaseHistoryRow } from './purchase-history.projection.js';
import type { BuyerId, Invoice, LineKind, PurchasedItem } from './purchase.events.js';
import { PurchaseInvoiced, PurchaseRecorded } from './purchase.events.js';

/** One line: type first; what exactly as long as it can be read. Figures are for those who keep the books. */
export interface PurchaseViewLine {
  readonly kind: LineKind;
  readonly itemType: string;
  readonly item: Opened<PurchasedItem | null>;
  readonly quantity?: string;
  readonly amount?: string;
}

/** A purchase as a reader may see it (statement S13: which type of goods or service, and when). */
export interface PurchaseView {
  readonly purchaseId: PurchaseId;
  readonly day: Day;
  readonly sector: Sector;
  readonly purchasedAt: Opened<string | null>;
  readonly takenOverAt: Opened<string | null>;
  readonly buyerId: Opened<BuyerId | null>;
  readonly contactId: Opened<string | null>;
  readonly lines: readonly PurchaseViewLine[];
  readonly currency?: string;
  /** Present where the policy gives this reader the vouchers; null when none is held here. */
  readonly invoice?: Opened<Invoice | null>;
}

/** Opens rows of the history for the reader of the context: one question to the vault for the whole page. */
export const purchaseViews = async (
  disclosure: Disclosure,
  rows: readonly PurchaseHistoryRow[],
): Promise<readonly PurchaseView[]> => {
  const vouchers = rows.flatMap(({ voucher }) => voucher ?? []);
  const [supports, invoices] = await Promise.all([
    disclosure.open(
      PurchaseRecorded.fields,
      rows.map(({ support }) => support),
    ),
    disclosure.open(PurchaseInvoiced.fields, vouchers),
  ]);
  const invoiceOf = new Map(vouchers.map((envelope, index) => [envelope, invoices[index]!.invoice]));
  const books = disclosure.allows('billing');
  return rows.map((row, index) => {
    const { buyerId, purchasedAt, takenOverAt, items, contactId } = supports[index]!;
    const lines = row.lines.map(({ kind, itemType, quantity, amount }, line) => ({
      ...{ kind, itemType, item: itemAt(items, line) },
      ...(books ? { quantity, amount } : {}),
    }));
    const invoice = row.voucher === null ? NONE : invoiceOf.get(row.voucher)!;
    return {
      ...{ purchaseId: row.purchase_id as PurchaseId, day: row.day, sector: row.sector },
      ...{ purchasedAt, takenOverAt, buyerId, contactId, lines },
      ...(books ? { currency: row.currency, invoice } : {}),
    };
  });
};

/** No voucher: that there is none is no personal value. */
const NONE = new Personal(null);

const itemAt = (items: Opened<readonly PurchasedItem[] | null>, line: number): Opened<PurchasedItem | null> =>
  items.state === 'value' ? new Personal(items.reveal()?.[line] ?? null) : items;

/** Whose data stand in these rows, as far as this reader sees them: for the traces. */
export const ownersIn = (disclosure: Disclosure, rows: readonly PurchaseHistoryRow[]): readonly OwnerRef[] => {
  const support = disclosure.allows('purchase');
  const books = disclosure.allows('billing');
  return rows.flatMap(({ sector, buyer_id, contact_id, billed_id }) => {
    const owner = (id: string) =>
      sector === 'business' ? companyOwner(id as CompanyId) : subjectOwner(id as CustomerId);
    return [
      ...(support && buyer_id !== null ? [owner(buyer_id)] : []),
      ...(support && contact_id !== null ? [subjectOwner(contact_id as CustomerId)] : []),
      ...(books && billed_id !== null ? [owner(billed_id)] : []),
    ];
  });
};
