import type { CompanyInput } from '#companies';
import type { CustomerInput } from '#customers';
import { RegisterCustomer } from '#customers';
import { ScopeExpired, SubjectErased } from '#events';
import type { CustomerId } from '#kernel';
import { ReservedIds, companyOwner, newId, subjectOwner, valueOf } from '#kernel';
import type { Policy } from '#policy';
import { loadPolicy } from '#policy';
import { Holdings, holdings } from '#retention';
import { ReadSide } from '#testing';
import { RegisterCustomerHandler } from '../../customers/src/register-customer.js';
import { purchaseHistory } from './purchase-history.projection.js';
import { GetPurchase, GetPurchaseHandler, ListPurchases, ListPurchasesHandler } from './purchase-history.query.js';
import type { PurchaseInput } from './purchase-input.js';
import { RecordPurchase, RecordPurchaseHandler } from './record-purchase.js';

const TABLE = 'purchase_history.purchase_history';
const kari: CustomerInput = {
  relationship: 'customer',
  name: 'Kari Nordmann',
  email: 'kari@example.no',
  phone: '90012345',
  address: { street: 'Vikavegen 1', postalCode: '5627', city: 'Jondal' },
};
const company: CompanyInput = { name: 'Fjord AS', organisationNumber: '974760673', address: kari.address };
const bought = {
  purchasedAt: '2026-03-10T09:30:00Z',
  currency: 'NOK',
  lines: [
    {
      kind: 'product',
      itemType: 'spindle',
      description: 'Spindel 12 mm',
      quantity: '3',
      unitPrice: '19.99',
      serialNumber: 'SN-1',
    },
  ],
  invoice: { number: 'F-100', date: '2026-03-10' },
} as const;

describe('purchases, by the policy of a web shop', () => {
  let policy: Policy;
  let side: ReadSide;
  const register = async (input: CustomerInput) =>
    (
      await side.as('integrator', 'avtale', () =>
        new RegisterCustomerHandler(side.ledger, policy).execute(new RegisterCustomer(input)),
      )
    ).customerId;
  const buy = (customerId: CustomerId, changes: Partial<PurchaseInput> = {}, ids?: ReservedIds) =>
    side.as(
      'integrator',
      'avtale',
      () =>
        new RecordPurchaseHandler(side.ledger, policy, side.clock).execute(
          new RecordPurchase({ customerId, ...bought, ...changes }),
        ),
      ids,
    );
  const one = (id: string, role: 'service-desk' | 'compliance' = 'service-desk', purpose = 'kundehjelp') =>
    side.as(role, purpose, () =>
      new GetPurchaseHandler(side.db, side.disclosure).execute(new GetPurchase(id as never)),
    );
  const list = (id: CustomerId, purpose = 'kundehjelp', limit = 50, after?: { day: string; position: string }) =>
    side.as('compliance', purpose, () =>
      new ListPurchasesHandler(side.db, side.disclosure).execute(new ListPurchases(id, limit, after)),
    );
  const erased = (ownerId: CustomerId) =>
    SubjectErased.of({ ownerId, ownerKind: 'subject', categories: { contact: 1, purchase: 1 }, retained: ['billing'] });

  beforeAll(async () => {
    policy = await loadPolicy('policy/webshop');
  });
  beforeEach(async () => {
    side = await ReadSide.start({
      policy,
      projections: [purchaseHistory, holdings],
      now: new Date('2026-03-12T12:00:00Z'),
      rules: (db) => new Holdings(db, policy),
    });
  });
  afterEach(() => side.stop());

  it('shows type and time for support, and figures only to those who keep the books', async () => {
    const { purchaseId } = await buy(await register(kari));
    await side.caughtUp();
    const { purchase: support } = await one(purchaseId);
    expect(support.day).toBe('2026-03-10');
    expect(valueOf(support.purchasedAt)).toBe('2026-03-10T09:30:00.000Z');
    expect(support.lines[0]).not.toHaveProperty('amount');
    expect(support).not.toHaveProperty('invoice');
    const { purchase: books } = await one(purchaseId, 'compliance', 'bokforing');
    expect(books.lines[0]).toMatchObject({ quantity: '3', amount: '59.97' });
    expect(valueOf(books.invoice)).toMatchObject({
      number: 'F-100',
      buyer: { name: 'Kari Nordmann', address: { postalCode: '5627' } },
    });
    expect(books.purchasedAt).toEqual({ state: 'withheld', reason: 'not-allowed' });
  });

  it('knows the first purchase from later ones, and a repeated command from a second purchase', async () => {
    const customerId = await register(kari);
    const seed = new Uint8Array(32).fill(9);
    const first = await buy(customerId, {}, new ReservedIds(seed, 1_700_000_000_000));
    await buy(customerId);
    const head = await side.ledger.head();
    const again = await buy(customerId, {}, new ReservedIds(seed, 1_700_000_000_000));
    expect([again.purchaseId, await side.ledger.head()]).toEqual([first.purchaseId, head]);
    const facts = await Promise.all([first.purchaseId].map((id) => side.ledger.read(`purchase-${id}`)));
    expect(facts[0]![0]!.data).toMatchObject({ firstPurchase: true, sector: 'private', region: '56' });
  });

  it('goes on where a crash left it between the two streams, and still calls the purchase the first', async () => {
    const customerId = await register(kari);
    const seed = new Uint8Array(32).fill(3);
    const { ledger } = side;
    const decide = ledger.decide.bind(ledger);
    let calls = 0;
    ledger.decide = (...args) => (++calls === 2 ? Promise.reject(new Error('killed')) : decide(...args)) as never;
    await expect(buy(customerId, {}, new ReservedIds(seed, 1))).rejects.toThrow('killed');
    ledger.decide = decide;
    const { purchaseId } = await buy(customerId, {}, new ReservedIds(seed, 1));
    const [recorded] = await ledger.read(`purchase-${purchaseId}`);
    expect(recorded!.data).toMatchObject({ firstPurchase: true });
  });

  it('of a company names the contact person in a block of their own', async () => {
    const customerId = await register({ ...kari, address: null, company });
    const { purchaseId } = await buy(customerId);
    await side.caughtUp();
    const { purchase } = await one(purchaseId, 'compliance', 'bokforing');
    expect(valueOf(purchase.invoice)).toMatchObject({
      buyer: { name: 'Fjord AS', organisationNumber: '974760673', address: { country: 'NO' } },
    });
    const before = await one(purchaseId);
    const companyId = valueOf(before.purchase.buyerId)!;
    expect(before.about).toEqual([companyOwner(companyId as never), subjectOwner(customerId)]);
    await side.forget(subjectOwner(customerId), erased(customerId), { category: 'contact' }, { category: 'purchase' });
    const { purchase: after } = await one(purchaseId);
    expect(valueOf(after.buyerId)).toBe(companyId);
    expect(after.contactId.state).toBe('erased');
    expect(valueOf(after.lines[0]!.item)).toMatchObject({ serialNumber: 'SN-1' });
    expect((await list(customerId)).items).toEqual([]);
    expect(await side.rebuilt(TABLE)).toEqual(await side.rows(TABLE));
  });

  it('that a disaster has lost reads as lost, and is joined to nobody once its buyer is forgotten', async () => {
    const customerId = await register(kari);
    const { purchaseId } = await buy(customerId);
    await side.caughtUp();
    for (const category of ['purchase', 'billing'])
      side.ledger.vault.shred(subjectOwner(customerId), category, undefined, 'lost');
    expect((await one(purchaseId)).purchase.buyerId.state).toBe('lost');
    await side.forget(subjectOwner(customerId), erased(customerId), { category: 'contact' });
    expect((await one(purchaseId)).purchase.buyerId.state).toBe('lost');
    const [row] = await side.rows(TABLE);
    expect(JSON.stringify(row)).not.toContain(customerId);
    expect(await side.rebuilt(TABLE)).toEqual(await side.rows(TABLE));
  });

  it('of a forgotten person is found by nobody but those who keep the books, and a rebuild ends in the same rows', async () => {
    const customerId = await register(kari);
    const { purchaseId } = await buy(customerId);
    const uninvoiced = await buy(customerId, { invoice: null });
    await side.forget(subjectOwner(customerId), erased(customerId), { category: 'contact' }, { category: 'purchase' });
    expect((await list(customerId)).items).toEqual([]);
    const { items } = await list(customerId, 'bokforing');
    expect(items.map((item) => item.purchaseId)).toEqual([purchaseId]);
    expect(valueOf(items[0]!.invoice)).toMatchObject({ buyer: { name: 'Kari Nordmann' } });
    expect((await one(uninvoiced.purchaseId)).purchase.buyerId.state).toBe('erased');
    expect((await one(purchaseId)).purchase.lines[0]!.item.state).toBe('erased');
    expect(await side.rebuilt(TABLE)).toEqual(await side.rows(TABLE));
  });

  it('that expires alone leaves the others of the person as they are', async () => {
    const customerId = await register(kari);
    const [gone, kept] = [await buy(customerId), await buy(customerId)];
    const expired = ScopeExpired.of({
      ownerId: customerId,
      ownerKind: 'subject',
      category: 'purchase',
      count: 1,
      partitions: null,
    });
    await side.forget(subjectOwner(customerId), expired, { category: 'purchase', partition: gone.purchaseId });
    expect((await list(customerId)).items.map((item) => item.purchaseId)).toEqual([kept.purchaseId]);
  });

  it('past its maximum reads as withheld at once, before any sweep', async () => {
    const { purchaseId } = await buy(await register(kari));
    await side.caughtUp();
    side.clock.set(new Date('2031-03-11T12:00:00Z'));
    const { purchase } = await one(purchaseId);
    expect(purchase.purchasedAt).toEqual({ state: 'withheld', reason: 'expired' });
    const { purchase: books } = await one(purchaseId, 'compliance', 'bokforing');
    expect(valueOf(books.invoice)).toMatchObject({ number: 'F-100' });
  });

  it('already past its maximum when it comes leaves facts and what the law keeps, and says so', async () => {
    const old = { purchasedAt: '2021-02-01', invoice: { number: 'F-1', date: '2021-02-01' } };
    const { purchaseId, notStored } = await buy(await register(kari), old);
    expect(notStored).toEqual(['purchase']);
    await side.caughtUp();
    const { purchase } = await one(purchaseId, 'compliance', 'bokforing');
    expect(purchase.lines[0]).toMatchObject({ amount: '59.97' });
    expect(valueOf(purchase.invoice)).toMatchObject({ number: 'F-1' });
    expect(valueOf((await one(purchaseId)).purchase.buyerId)).toBeNull();
    const ancient = { purchasedAt: '2019-02-01', invoice: { number: 'F-0', date: '2019-02-01' } };
    expect((await buy(await register(kari), ancient)).notStored).toEqual(['purchase', 'billing']);
  });

  it('are listed newest first, page by page, each once', async () => {
    const customerId = await register(kari);
    const days = ['2026-03-01', '2026-03-05', '2026-03-05', '2026-03-05', '2026-03-08'];
    for (const day of days) await buy(customerId, { purchasedAt: day });
    await side.caughtUp();
    const seen: string[] = [];
    for (let after: { day: string; position: string } | undefined, pages = 0; pages < 4; pages++) {
      const page = await list(customerId, 'kundehjelp', 2, after);
      seen.push(...page.items.map((item) => item.purchaseId));
      after = page.next;
      if (!after) break;
    }
    expect([seen.length, new Set(seen).size]).toEqual([5, 5]);
  });

  it('names every problem of every line at once', async () => {
    const customerId = await register(kari);
    const lines = [
      {
        kind: 'product',
        itemType: 'kari@example.no',
        quantity: '0',
        unitPrice: '1,5',
        description: 'Eigar 01010750160',
      },
      { kind: 'service', itemType: 'call 90012345', quantity: '1', unitPrice: '1' },
    ] as const;
    const refusal: any = await buy(customerId, { lines, purchasedAt: '2027-01-01', currency: 'kr' }).catch(
      (error: unknown) => error,
    );
    expect(refusal.errors.map(({ path }: { path: string }) => path).sort()).toEqual([
      'currency',
      'lines[0].description',
      'lines[0].itemType',
      'lines[0].quantity',
      'lines[0].unitPrice',
      'lines[1].itemType',
      'purchasedAt',
    ]);
  });

  it('of a lead is refused: a customer has given what the policy requires of one', async () => {
    const customerId = await register({ relationship: 'lead', name: 'Ola', email: 'ola@example.no' });
    await expect(buy(customerId)).rejects.toMatchObject({ errors: [{ path: 'customerId', code: 'not-a-customer' }] });
  });

  it('of somebody unknown or forgotten is refused, and nothing is written', async () => {
    await expect(buy(newId<CustomerId>())).rejects.toMatchObject({ code: 'not-found' });
    const customerId = await register(kari);
    await side.forget(subjectOwner(customerId), erased(customerId), { category: 'contact' });
    const head = await side.ledger.head();
    await expect(buy(customerId)).rejects.toMatchObject({ code: 'subject-closed' });
    expect(await side.ledger.head()).toBe(head);
  });
});
