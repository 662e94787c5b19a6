import { event, personal, plain, reference, subject } from '#events';
import type { CompanyId, CustomerId, OwnerRef, PurchaseId } from '#kernel';
import { newId } from '#kernel';
import { planEvent } from './sealing.js';

const Registered = event('customer.registered', 1, {
  customerId: subject<CustomerId>(),
  name: personal<string>('relation'),
  companyId: reference<CompanyId | null>('relation'),
});
const Recorded = event('purchase.recorded', 1, {
  day: plain<string>('a calendar day with many purchases'),
  buyerId: reference<string>('purchase', { owner: 'buyer' }),
  documentNumber: personal<string>('billing', { owner: 'buyer' }),
  contactId: reference<CustomerId>('purchase', { owner: 'contact' }),
});

describe('planning what is sealed', () => {
  const customerId = newId<CustomerId>();
  const purchaseId = newId<PurchaseId>();
  const buyer: OwnerRef = { kind: 'company', id: newId<CompanyId>() };
  const contact: OwnerRef = { kind: 'subject', id: customerId };

  it('leaves only plain fields and the stream’s own id in clear', () => {
    const planned = planEvent(Registered.of({ customerId, name: 'Kari', companyId: null }), `customer-${customerId}`);
    expect(planned.clear).toEqual({ customerId });
    expect(planned.blocks.map((b) => b.request)).toEqual([
      { owner: contact, category: 'relation', partition: '', stream: `customer-${customerId}` },
    ]);
  });

  it('makes one block for each owner and category, partitioned by the stream', () => {
    const data = { day: '2026-01-01', buyerId: buyer.id, documentNumber: '7', contactId: customerId };
    const planned = planEvent(Recorded.of(data, { owners: { buyer, contact } }), `purchase-${purchaseId}`);
    expect(planned.clear).toEqual({ day: '2026-01-01' });
    expect(planned.blocks.map((b) => [b.label, b.request.owner, b.request.partition, Object.keys(b.values)])).toEqual([
      [{ slot: 'buyer', category: 'purchase' }, buyer, purchaseId, ['buyerId']],
      [{ slot: 'buyer', category: 'billing' }, buyer, purchaseId, ['documentNumber']],
      [{ slot: 'contact', category: 'purchase' }, contact, purchaseId, ['contactId']],
    ]);
  });

  it.each([
    [
      'a value without owner',
      () => Recorded.of({ day: 'd', buyerId: 'x', documentNumber: '7', contactId: customerId }),
      `purchase-${purchaseId}`,
    ],
    [
      'a subject id in another stream',
      () => Registered.of({ customerId, name: 'Kari', companyId: null }),
      `purchase-${purchaseId}`,
    ],
    [
      'an undeclared field',
      () => Registered.of({ customerId, name: 'Kari', companyId: null, age: 3 } as never),
      `customer-${customerId}`,
    ],
  ])('refuses %s', (_, draft, stream) => expect(() => planEvent(draft() as never, stream)).toThrow());
});
