import type { CompanyId, CustomerId, PurchaseId } from '#kernel';
import { companyOwner, newId, subjectOwner, valueOf } from '#kernel';
import { stateAfter } from '#testing';
import { PurchaseInvoiced, PurchaseRecorded } from './purchase.events.js';
import type { PurchaseDetails } from './purchase.js';
import { purchase, purchaseStream, recordPurchase } from './purchase.js';

const customerId = newId<CustomerId>();
const companyId = newId<CompanyId>();
const line = {
  kind: 'product',
  itemType: 'spindle',
  description: 'Spindel 12 mm',
  quantity: '3',
  unitPrice: '19.99',
  vatRate: '25',
  serialNumber: 'SN-1',
  guaranteeUntil: '2028-03-12',
} as const;
const details: PurchaseDetails = {
  buyer: { kind: 'person', customerId },
  day: '2026-03-12',
  purchasedAt: '2026-03-12T10:15:00Z',
  takenOverAt: null,
  currency: 'NOK',
  region: '56',
  firstPurchase: true,
  lines: [line],
  invoice: null,
  sourceKey: { source: 'shop', key: '17' },
  pastMaximum: new Set(),
};
const invoice = {
  number: 'F-100',
  date: '2026-03-12',
  dueDate: null,
  delivery: null,
  buyer: { name: 'Kari Nordmann', organisationNumber: null, address: null },
};
const ofCompany: PurchaseDetails = { ...details, buyer: { kind: 'company', companyId, contactId: customerId } };
const record = (from: PurchaseDetails) => recordPurchase(purchase.initial, from);

describe('purchase', () => {
  it('of a person has one block, the person’s', () => {
    const [recorded, ...more] = record(details);
    expect(more).toEqual([]);
    expect(recorded!.owners).toEqual({ buyer: subjectOwner(customerId) });
    expect(recorded!.data).toMatchObject({ buyerId: customerId, contactId: null, contactTerms: null });
  });

  it('of a company has the company’s block and one of the contact person with its own dates', () => {
    const [recorded] = record(ofCompany);
    expect(recorded!.owners).toEqual({ buyer: companyOwner(companyId), contact: subjectOwner(customerId) });
    expect(recorded!.data).toMatchObject({
      buyerId: companyId,
      contactId: customerId,
      contactTerms: { takenOverAt: null, guaranteeUntil: '2028-03-12' },
      sector: 'business',
    });
  });

  it('shows in clear no text, number, time or id', () => {
    const clear = Object.entries(PurchaseRecorded.fields).filter(([, field]) => field.kind === 'plain');
    expect(clear.map(([name]) => name)).toEqual(['day', 'sector', 'region', 'firstPurchase', 'currency', 'lines']);
    expect((record(details)[0]!.data as { lines: unknown }).lines).toEqual([
      { kind: 'product', itemType: 'spindle', quantity: '3', amount: '59.97' },
    ]);
  });

  it('with an invoice has the voucher as an event of its own, of the buyer alone', () => {
    const [, invoiced] = record({ ...ofCompany, invoice });
    expect(invoiced!.event).toBe(PurchaseInvoiced);
    expect(invoiced!.owners).toEqual({ buyer: companyOwner(companyId) });
    expect(invoiced!.data).toMatchObject({
      billedId: companyId,
      sourceKey: null,
      invoice: {
        number: 'F-100',
        currency: 'NOK',
        lines: [{ quantity: '3', unitPrice: '19.99', amount: '59.97', vatRate: '25' }],
      },
    });
  });

  it('past the maximum of support keeps the facts and the voucher, and the source’s key with the voucher', () => {
    const [recorded, invoiced] = record({ ...details, invoice, pastMaximum: new Set(['purchase']) });
    expect(recorded!.owners).toBeUndefined();
    expect(recorded!.data).toMatchObject({ day: '2026-03-12', buyerId: null, items: null, purchasedAt: null });
    expect(invoiced!.data).toMatchObject({ sourceKey: { source: 'shop', key: '17' } });
  });

  it('past every maximum is facts alone', () => {
    const drafts = record({ ...ofCompany, invoice, pastMaximum: new Set(['purchase', 'billing']) });
    expect(drafts.map((draft) => [draft.event.type, draft.owners])).toEqual([['purchase.recorded', undefined]]);
  });

  it('is recorded once, however often the command is repeated', async () => {
    const state = await stateAfter(purchase, purchaseStream(newId<PurchaseId>()), record(details));
    expect(recordPurchase(state, details)).toEqual([]);
  });

  it('of a company stays whole when its contact person is forgotten', async () => {
    const forgotten = { owner: subjectOwner(customerId), category: 'purchase' } as const;
    const state = await stateAfter(purchase, purchaseStream(newId<PurchaseId>()), record(ofCompany), forgotten);
    if (state.status !== 'recorded') throw new Error('not recorded');
    expect(valueOf(state.buyerId)).toBe(companyId);
    expect(state.contactId.state).toBe('erased');
  });
});
