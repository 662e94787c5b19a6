import type { Region, Sector } from '#customers';
import type { Day } from '#kernel';
import { valueOf } from '#kernel';
import type { Envelope } from '#ledger';
import { inserts, projection, updates } from '#projections';
import type { LineFacts } from './purchase.events.js';
import { PurchaseInvoiced, PurchaseRecorded } from './purchase.events.js';

/** A purchase: its facts, the envelopes of what is sealed, and the random ids by which a person's purchases are found. */
export interface PurchaseHistoryRow {
  purchase_id: string;
  /** Place in the log: the order among purchases of one day. */
  position: string;
  day: Day;
  sector: Sector;
  region: Region;
  currency: string;
  lines: readonly LineFacts[];
  buyer_id: string | null;
  contact_id: string | null;
  support: Envelope;
  /** Owner of the voucher; outlives the other two when only the law keeps the purchase. */
  billed_id: string | null;
  voucher: Envelope | null;
}

const insertPurchase = inserts<PurchaseHistoryRow>('purchase_history');
const invoicePurchase = updates<PurchaseHistoryRow, 'purchase_id' | 'billed_id' | 'voucher'>('purchase_history', {
  by: 'purchase_id',
  given: { purchase_id: 'uuid', billed_id: 'uuid', voucher: 'jsonb' },
});
const idOf = (stream: string) => stream.slice('purchase-'.length);

/**
 * What was bought, by whom, when. The ids of buyer and contact are the only things that were taken out of sealed fields:
 * when a key is destroyed, the ids that it sealed become null, and the rows can't be joined to the person or to each other.
 */
export const purchaseHistory = projection<{ purchase_history: PurchaseHistoryRow }>('purchase_history', {
  version: 1,
  holdsPersonalData: true,
  tables: `
    create table purchase_history (
      purchase_id uuid primary key,
      position bigint not null,
      day date not null,
      sector text not null,
      region text,
      currency text not null,
      lines jsonb not null,
      buyer_id uuid,
      contact_id uuid,
      support jsonb not null,
      billed_id uuid,
      voucher jsonb
    );
    create index purchase_history_buyer on purchase_history (buyer_id, day desc, position desc);
    create index purchase_history_contact on purchase_history (contact_id, day desc, position desc);
    create index purchase_history_billed on purchase_history (billed_id, day desc, position desc);`,
})
  .on(PurchaseRecorded, ({ data, stream, position, envelope }) =>
    insertPurchase({
      purchase_id: idOf(stream),
      position: position.toString(),
      day: data.day,
      sector: data.sector,
      region: data.region,
      currency: data.currency,
      lines: data.lines,
      buyer_id: valueOf(data.buyerId) ?? null,
      contact_id: valueOf(data.contactId) ?? null,
      support: envelope,
      billed_id: null,
      voucher: null,
    }),
  )
  .on(PurchaseInvoiced, ({ data, stream, envelope }) =>
    invoicePurchase({ purchase_id: idOf(stream), billed_id: valueOf(data.billedId) ?? null, voucher: envelope }),
  )
  .forgets('purchase_history', { owner: 'buyer_id', envelope: 'support', clear: { buyer_id: 'buyerId' } })
  .forgets('purchase_history', { owner: 'contact_id', envelope: 'support', clear: { contact_id: 'contactId' } })
  .forgets('purchase_history', { owner: 'billed_id', envelope: 'voucher', clear: { billed_id: 'billedId' } });
