import { ActivityNoted, CustomerRectified, CustomerRegistered, RelationshipChanged } from '#customers';
import type { Draft } from '#events';
import { ScopeExpired, SubjectErased } from '#events';
import type { ActorId, CompanyId, CustomerId, PurchaseId, ServiceCaseId } from '#kernel';
import { companyOwner, inContext, newId, subjectOwner, systemContext } from '#kernel';
import type { Pool } from '#postgres';
import { createDatabase, createPool } from '#postgres';
import { PurchaseInvoiced, PurchaseRecorded } from '#purchases';
import { ServiceCaseAdvanced, ServiceCaseOpened } from '#service';
import { LedgerDouble, policyOf, RunningProjections, SetClock, testDatabase } from '#testing';
import { Holdings } from './holdings.js';
import { holdings } from './holdings.projection.js';

const policy = policyOf([
  { category: 'contact', trigger: 'last-activity', maximum: 'P24M', waitsFor: ['case-closed', 'guarantee-end'] },
  { category: 'relation', trigger: 'last-activity', maximum: 'P24M' },
  { category: 'superseded', trigger: 'value-superseded', maximum: 'P3M' },
  { category: 'purchase', trigger: 'taking-over', maximum: 'P5Y', waitsFor: ['guarantee-end'] },
  {
    ...{ category: 'billing', trigger: 'fiscal-year-end', minimum: 'P5Y', maximum: 'P5Y', law: 'bokføringsloven § 13' },
    ...{ purpose: 'bokforing', basis: 'art6-1-c' },
  },
  { category: 'service', trigger: 'case-closed', maximum: 'P3Y', waitsFor: ['case-closed'] },
]);
const actor = newId<ActorId>();
const invoice = {
  ...{ number: '1', date: '2026-03-10', dueDate: null, delivery: null, currency: 'NOK', lines: [] },
  buyer: { name: 'Kari', organisationNumber: null, address: null },
};

describe('holdings', () => {
  let database: { url: string; drop(): Promise<void> };
  let pool: Pool;
  let ledger: LedgerDouble;
  let running: RunningProjections;
  let read: Holdings;
  const customerId = newId<CustomerId>();
  const owner = subjectOwner(customerId);
  const [purchaseId, caseId] = [newId<PurchaseId>(), newId<ServiceCaseId>()];

  const append = (stream: string, ...drafts: Draft<any>[]) =>
    inContext(systemContext(actor), () => ledger.append({ stream, expected: 'any', drafts }));
  const register = () =>
    append(
      `customer-${customerId}`,
      CustomerRegistered.of(
        {
          ...{ customerId, relationship: 'customer', sector: 'private', region: null, name: 'Kari', phone: null },
          ...{ email: null, companyId: null, address: null, sourceKey: null },
        },
        { partitions: { contact: newId() } },
      ),
    );
  const buy = (guaranteeUntil: string | null = null) =>
    append(
      `purchase-${purchaseId}`,
      PurchaseRecorded.of(
        {
          ...{ day: '2026-03-10', sector: 'private', region: null, firstPurchase: true, currency: 'NOK', lines: [] },
          ...{ buyerId: customerId, purchasedAt: '2026-03-10T09:00:00Z', takenOverAt: '2026-03-12T23:30:00Z' },
          ...{ items: [{ description: 'Dreiebenk', serialNumber: null, guaranteeUntil }], sourceKey: null },
          ...{ contactId: null, contactTerms: null },
        },
        { owners: { buyer: owner } },
      ),
      PurchaseInvoiced.of(
        { billedId: customerId, sector: 'private', invoice, sourceKey: null },
        { owners: { buyer: owner } },
      ),
    );
  const openCase = () =>
    append(
      `service-${caseId}`,
      ServiceCaseOpened.of(
        {
          ...{ kind: 'repair', itemType: 'lathe', day: '2026-04-01', customerId, purchaseId, serialNumber: null },
          ...{ description: 'kaputt', sourceKey: null },
        },
        { owners: { customer: owner } },
      ),
    );
  const advance = (status: 'closed' | 'reopened', day: string) =>
    append(`service-${caseId}`, ServiceCaseAdvanced.of({ status, day }));
  const assessed = async (today = '2026-06-01') => {
    await running.caughtUp();
    const rows = await read.ofOwner(owner, today);
    return new Map(rows.map((row) => [row.holding.category, row]));
  };
  const erase = async (retained: readonly 'billing'[]) => {
    for (const category of ['contact', 'purchase', 'service'] as const) ledger.shred(owner, category);
    const categories = { contact: 1, purchase: 1, service: 1 };
    await append(
      `customer-${customerId}`,
      SubjectErased.of({ ownerId: customerId, ownerKind: 'subject', categories, retained }),
    );
  };
  const tables = async (of = pool) => {
    const contents = [];
    for (const table of ['holding', 'holding_owner', 'holding_shredded'])
      contents.push((await of.query(`select * from holdings.${table} order by 1, 2`)).rows);
    return contents;
  };

  beforeEach(async () => {
    database = await testDatabase();
    pool = createPool(database.url, { name: 'test' });
    ledger = new LedgerDouble(new SetClock(new Date('2026-01-01T12:00:00Z')));
    running = await RunningProjections.start(pool, ledger, [holdings]);
    read = new Holdings(createDatabase(pool), policy);
    await register();
  });
  afterEach(async () => {
    await running.stop();
    await pool.end();
    await database.drop();
  });

  it('has a row for each key, with the dates that the rules give (worked dates of the rule set)', async () => {
    await buy();
    const rows = await assessed();
    // 23:30 UTC on the 12th is the 13th in Oslo.
    expect(rows.get('purchase')?.assessment).toMatchObject({ state: 'active', keepUntil: '2031-03-13' });
    expect(rows.get('billing')?.assessment).toMatchObject({ keepUntil: '2031-12-31', minimumUntil: '2031-12-31' });
    expect(rows.get('billing')?.holding).toMatchObject({
      partition: purchaseId,
      since: '2026-01-01',
      buyer_kind: 'consumer',
    });
  });

  it('counts being registered as activity only while there is no other', async () => {
    expect((await assessed()).get('contact')?.assessment.keepUntil).toBe('2028-01-01');
    await append(
      `customer-${customerId}`,
      ActivityNoted.of({ customerId, day: '2025-05-05', kind: 'purchase', recordId: purchaseId }),
    );
    expect((await assessed()).get('contact')?.assessment.keepUntil).toBe('2027-05-05');
  });

  it('gives what was rectified a short period of its own, from the day of the rectification', async () => {
    await append(
      `customer-${customerId}`,
      CustomerRectified.of(
        { customerId, name: 'Kari N.', phone: null, email: null, companyId: null, address: null },
        { partitions: { contact: newId() } },
      ),
    );
    await running.caughtUp();
    const rows = await read.ofOwner(owner, '2026-06-01');
    expect(rows.map(({ holding, assessment }) => [holding.category, assessment.keepUntil]).sort()).toEqual([
      ['contact', '2026-04-01'],
      ['contact', '2028-01-01'],
    ]);
  });

  it('notes the end of the relationship, and forgets it when the customer comes back', async () => {
    const change = (relationship: 'ended' | 'customer') =>
      append(
        `customer-${customerId}`,
        RelationshipChanged.of({ customerId, relationship, sector: 'private', region: null }),
      );
    await change('ended');
    expect((await assessed()).get('contact')?.facts).toMatchObject({
      relationship: 'ended',
      triggers: { 'contract-end': '2026-01-01' },
    });
    await change('customer');
    expect((await assessed()).get('contact')?.facts.triggers).not.toHaveProperty('contract-end');
  });

  it('keeps what an open case needs until the case is closed, and again when it is reopened', async () => {
    await openCase();
    expect((await assessed()).get('contact')?.assessment.keepUntil).toBeNull();
    await advance('closed', '2026-05-01');
    const closed = await assessed();
    expect(closed.get('contact')?.assessment.keepUntil).toBe('2028-05-01');
    expect(closed.get('service')?.assessment.keepUntil).toBe('2029-05-01');
    await advance('reopened', '2026-05-02');
    expect((await assessed()).get('service')?.assessment.keepUntil).toBeNull();
  });

  it('holds a purchase for its own guarantee, not for the one on another purchase', async () => {
    await buy('2040-01-01');
    const other = newId<PurchaseId>();
    await append(
      `purchase-${other}`,
      PurchaseRecorded.of(
        {
          ...{ day: '2026-03-10', sector: 'private', region: null, firstPurchase: false, currency: 'NOK', lines: [] },
          ...{
            buyerId: customerId,
            purchasedAt: '2026-03-10T09:00:00Z',
            takenOverAt: null,
            items: [],
            sourceKey: null,
          },
          ...{ contactId: null, contactTerms: null },
        },
        { owners: { buyer: owner } },
      ),
    );
    await running.caughtUp();
    const until = new Map(
      (await read.ofOwner(owner, '2026-06-01')).map(({ holding, assessment }) => [
        holding.category === 'contact' ? 'card' : holding.partition,
        assessment.keepUntil,
      ]),
    );
    expect([until.get(purchaseId), until.get(other), until.get('card')]).toEqual([
      expect.stringMatching(/^2040/),
      '2031-03-10',
      expect.stringMatching(/^2040/),
    ]);
  });

  it('separates a company’s part of a purchase from its contact person’s', async () => {
    const company = companyOwner(newId<CompanyId>());
    await append(
      `purchase-${purchaseId}`,
      PurchaseRecorded.of(
        {
          ...{ day: '2026-03-10', sector: 'business', region: null, firstPurchase: true, currency: 'NOK', lines: [] },
          ...{ buyerId: company.id as CompanyId, purchasedAt: '2026-03-10T09:00:00Z', takenOverAt: null, items: [] },
          ...{ sourceKey: null, contactId: customerId, contactTerms: { takenOverAt: null, guaranteeUntil: null } },
        },
        { owners: { buyer: company, contact: owner } },
      ),
    );
    await running.caughtUp();
    const ofCompany = await read.ofOwner(company, '2026-06-01');
    expect(ofCompany.map(({ holding }) => [holding.category, holding.buyer_kind])).toEqual([['purchase', 'business']]);
    expect([...(await assessed()).keys()].sort()).toEqual(['contact', 'purchase']);
    expect(await read.ownersOfPartition(purchaseId)).toHaveLength(2);
  });

  it('shows of an erased person what a law keeps, readable for that purpose alone', async () => {
    await buy();
    await openCase();
    const before = await assessed();
    await erase(['billing']);
    const after = await assessed();
    expect([...after.keys()]).toEqual(['billing']);
    expect(after.get('billing')?.assessment).toMatchObject({ state: 'retained', keepUntil: '2031-12-31' });
    const scopeId = after.get('billing')!.holding.scope_id;
    const stateFor = async (purpose: string, today: string) =>
      (await read.statesOf([scopeId], purpose, today)).get(scopeId);
    expect(await stateFor('avtale', '2026-06-01')).toBe('retained');
    expect(await stateFor('bokforing', '2031-12-31')).toBe('open');
    expect(await stateFor('bokforing', '2032-01-01')).toBe('expired');
    expect(await read.shreddedOf(owner)).toEqual({ contact: 1, purchase: 1, service: 1 });
    const gone = before.get('contact')!.holding.scope_id;
    expect((await read.statesOf([gone], 'avtale', '2026-06-01')).get(gone)).toBe('open');
  });

  it('vouches for no scope once it follows the log no more', async () => {
    const scopeId = (await assessed()).get('contact')!.holding.scope_id;
    await running.stop();
    await pool.query(`update projections.build set status = 'failed' where name = 'holdings'`);
    await expect(read.statesOf([scopeId], 'avtale', '2026-06-01')).rejects.toMatchObject({ code: 'projection-failed' });
    await pool.query(`update projections.build set status = 'catching-up' where name = 'holdings'`);
    expect((await read.statesOf([scopeId], 'avtale', '2026-06-01')).get(scopeId)).toBe('open');
  });

  it('withholds what is past its maximum at once, though no sweep has run', async () => {
    const scopeId = (await assessed()).get('contact')!.holding.scope_id;
    expect((await read.statesOf([scopeId], 'avtale', '2028-01-01')).get(scopeId)).toBe('open');
    expect((await read.statesOf([scopeId], 'avtale', '2028-01-02')).get(scopeId)).toBe('expired');
  });

  it('reads the same whether a scope is asked for alone or with everything that its owner has', async () => {
    await buy('2040-01-01');
    await openCase();
    const whole = await assessed('2035-01-01');
    for (const { holding, assessment } of whole.values()) {
      const alone = (await read.statesOf([holding.scope_id], 'avtale', '2035-01-01')).get(holding.scope_id);
      expect([holding.category, alone]).toEqual([holding.category, assessment.expired ? 'expired' : 'open']);
    }
  });

  it('comes out of a rebuild as it is live, after an erasure and an expiry', async () => {
    await buy();
    await openCase();
    await advance('closed', '2026-05-01');
    await assessed();
    await erase(['billing']);
    ledger.shred(owner, 'billing');
    await append(
      `customer-${customerId}`,
      ScopeExpired.of({ ownerId: customerId, ownerKind: 'subject', category: 'billing', count: 1, partitions: null }),
    );
    await running.caughtUp();
    const live = await tables();
    expect(live[0]).toEqual([]);
    const empty = await testDatabase();
    const other = createPool(empty.url, { name: 'test' });
    const rebuilding = await RunningProjections.start(other, ledger, [holdings]);
    await rebuilding.caughtUp();
    expect(await tables(other)).toEqual(live);
    await rebuilding.stop();
    await other.end();
    await empty.drop();
  });
});
