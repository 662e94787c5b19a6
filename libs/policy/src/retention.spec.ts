import type { Day } from '#kernel';
import { addDays } from './calendar.js';
import { loadPolicy } from './load-policy.js';
import type { RetentionRule } from './manifest.js';
import type { Policy } from './policy.js';
import { assess } from './retention-assessment.js';
import type { ScopeFacts } from './retention-facts.js';
import { planItem } from './retention-plan.js';
import type { RetentionPolicy } from './retention-rules.js';

/** Facts with nothing open, held or restricted. */
const facts = (changes: Partial<ScopeFacts> & Pick<ScopeFacts, 'category'>): ScopeFacts => ({
  owner: 'subject',
  partition: '',
  triggers: {},
  open: [],
  holds: [],
  ...changes,
});

const RULE: RetentionRule = {
  ...{ id: 'rule', category: 'billing', when: {}, purpose: 'bokforing', basis: 'art6-1-c', trigger: 'fiscal-year-end' },
  ...{ minimum: 'P0D', maximum: 'P5Y', waitsFor: [], law: 'a law', why: 'because' },
};
const policyWith = (...rules: Partial<RetentionRule>[]): RetentionPolicy => ({
  retention: () => rules.map((rule, i) => ({ ...RULE, id: `rule-${i}`, ...rule })),
  calendar: { fiscalYearEnd: '12-31' },
  erasure: { reviewEvery: 'P6M' },
});

describe('worked dates', () => {
  let jpi: Policy;
  let webshop: Policy;
  beforeAll(async () => {
    jpi = await loadPolicy('policy/jpi');
    webshop = await loadPolicy('policy/webshop');
  });
  /** The last day kept; the next day it is due. */
  const keptThrough = (policy: RetentionPolicy, of: ScopeFacts, day: Day) => {
    expect(assess(policy, of, day)).toMatchObject({
      state: 'active',
      keepUntil: day,
      neverBeyond: day,
      expired: false,
    });
    expect(assess(policy, of, addDays(day, 1))).toMatchObject({
      state: 'due',
      keepUntil: day,
      neverBeyond: day,
      expired: true,
    });
  };

  it('an invoice of 2026-03-10 is kept through 2031-12-31, because Bokføringsloven § 13 says so', () => {
    const invoice = facts({ category: 'billing', triggers: { 'fiscal-year-end': '2026-03-10' } });
    for (const policy of [jpi, webshop]) {
      keptThrough(policy, invoice, '2031-12-31');
      expect(assess(policy, invoice, '2026-03-10')).toMatchObject({
        ...{ purpose: 'bokforing', basis: 'art6-1-c', law: 'Bokføringsloven § 13' },
        ...{ minimumUntil: '2031-12-31', minimumLaw: 'Bokføringsloven § 13' },
      });
    }
  });
  it('a packing slip of 2026-03-10 is kept through 2030-06-30', () =>
    keptThrough(
      policyWith({ minimum: 'P3Y6M', maximum: 'P3Y6M' }),
      facts({ category: 'billing', triggers: { 'fiscal-year-end': '2026-03-10' } }),
      '2030-06-30',
    ));
  it('a consumer’s purchase taken over on 2026-03-12 is kept through 2031-03-12, a company’s through 2028-03-12', () => {
    const purchase = facts({ category: 'purchase', triggers: { 'taking-over': '2026-03-12' } });
    keptThrough(jpi, { ...purchase, buyerKind: 'consumer' }, '2031-03-12');
    keptThrough(jpi, { ...purchase, buyerKind: 'business' }, '2028-03-12');
    keptThrough(webshop, { ...purchase, buyerKind: 'business' }, '2031-03-12');
  });
  it('a guarantee keeps a purchase longer, but not beyond ten years', () => {
    const bought = (guarantee: Day) =>
      facts({
        category: 'purchase',
        buyerKind: 'business',
        triggers: { 'taking-over': '2026-03-12', 'guarantee-end': guarantee },
      });
    keptThrough(jpi, bought('2029-05-01'), '2029-05-01');
    keptThrough(jpi, bought('2027-05-01'), '2028-03-12');
    keptThrough(jpi, bought('2050-01-01'), '2036-03-12');
  });
  it('a lead is kept for twelve months after the last contact', () =>
    keptThrough(
      jpi,
      facts({ category: 'contact', relationship: 'lead', triggers: { 'last-contact': '2026-02-28' } }),
      '2027-02-28',
    ));
  it('a customer is kept for three years after the end, or 24 months and three years after the last activity', () => {
    const customer = facts({
      category: 'contact',
      relationship: 'customer',
      triggers: { 'last-activity': '2024-02-29' },
    });
    keptThrough(jpi, customer, '2029-02-28');
    keptThrough(
      jpi,
      { ...customer, relationship: 'ended', triggers: { ...customer.triggers, 'contract-end': '2025-01-15' } },
      '2028-01-15',
    );
  });
  it('a breach of 2027-05-01 is time-barred on 2030-05-01', () =>
    keptThrough(
      jpi,
      facts({ category: 'service', triggers: { 'case-closed': '2027-05-01', 'case-activity': '2027-04-01' } }),
      '2030-05-01',
    ));
  it('a case that nobody closed counts as closed 24 months after its last entry', () =>
    keptThrough(jpi, facts({ category: 'service', triggers: { 'case-activity': '2026-05-01' } }), '2031-05-01'));
  it('a rectified value is kept for three months', () =>
    keptThrough(jpi, facts({ category: 'superseded', triggers: { 'value-superseded': '2026-11-30' } }), '2027-02-28'));
  it('a trace is kept for 24 months after the end of its month', () =>
    keptThrough(jpi, facts({ category: 'trace', triggers: { 'month-end': '2026-02-03' } }), '2028-02-28'));
  it('a request is kept for three years after it was closed', () =>
    keptThrough(
      jpi,
      facts({ category: 'request', triggers: { 'request-opened': '2026-01-01', 'request-closed': '2026-02-01' } }),
      '2029-02-01',
    ));
  it('a request that nobody closed, and a plan that was not carried out, count as closed after twelve months', () =>
    keptThrough(jpi, facts({ category: 'request', triggers: { 'request-opened': '2026-01-01' } }), '2030-01-01'));
  it('a consent is provable for three years after it was withdrawn, a profile lives 24 months', () => {
    keptThrough(
      jpi,
      facts({ category: 'consent', triggers: { 'consent-given': '2025-01-01', 'consent-withdrawn': '2026-02-01' } }),
      '2029-02-01',
    );
    keptThrough(jpi, facts({ category: 'profile', triggers: { 'profile-consent': '2026-02-01' } }), '2028-02-01');
  });
  it('another fiscal year moves the voucher', () => {
    const policy = { ...policyWith({ minimum: 'P5Y' }), calendar: { fiscalYearEnd: '06-30' } };
    keptThrough(policy, facts({ category: 'billing', triggers: { 'fiscal-year-end': '2026-07-01' } }), '2032-06-30');
  });
});

describe('the conflict order', () => {
  const voucher = facts({ category: 'billing', triggers: { 'fiscal-year-end': '2026-03-10' } });

  it('1: a legal hold stops the sweep, but does not make what is past its maximum readable', () => {
    const held = { ...voucher, holds: [{ holdId: 'h' }] };
    expect(assess(policyWith({}), held, '2035-01-01')).toMatchObject({
      state: 'held',
      keepUntil: null,
      neverBeyond: '2031-12-31',
      expired: true,
    });
  });
  it('2: a law’s minimum retains, and ends ordinary use at the shorter maximum', () => {
    const policy = policyWith({ minimum: 'P5Y', law: 'the long law' }, { maximum: 'P1Y', law: 'short' });
    expect(assess(policy, voucher, '2027-12-31')).toMatchObject({
      state: 'active',
      keepUntil: '2031-12-31',
      minimumLaw: 'the long law',
    });
    expect(assess(policy, voucher, '2028-01-01')).toMatchObject({
      state: 'retained',
      keepUntil: '2031-12-31',
      expired: false,
    });
    expect(assess(policy, voucher, '2032-01-01')).toMatchObject({ state: 'due', expired: true });
  });
  it('3: the longest minimum wins', () => {
    const policy = policyWith(
      { minimum: 'P1Y', maximum: 'P1Y' },
      { minimum: 'P3Y', maximum: 'P3Y', law: 'the long law' },
    );
    expect(assess(policy, voucher, '2027-01-01')).toMatchObject({
      keepUntil: '2029-12-31',
      minimumLaw: 'the long law',
    });
  });
  it('4: a rule of the category’s own goes before an inherited one', () => {
    const policy = policyWith({ category: 'any', maximum: 'P1Y' }, { maximum: 'P4Y' });
    expect(assess(policy, voucher, '2027-01-01')).toMatchObject({ rule: 'rule-1', keepUntil: '2030-12-31' });
    expect(assess(policyWith({ category: 'any', maximum: 'P1Y' }), voucher, '2027-01-01').keepUntil).toBe('2027-12-31');
  });
  it('4: but it sets no law aside that is inherited', () => {
    const policy = policyWith({ category: 'any', minimum: 'P5Y', law: 'the law for all' }, { maximum: 'P1Y' });
    expect(assess(policy, voucher, '2028-01-01')).toMatchObject({
      ...{ state: 'retained', rule: 'rule-0', keepUntil: '2031-12-31', minimumLaw: 'the law for all' },
    });
    expect(planItem(policy, voucher, '2026-06-01')).toMatchObject({ action: 'retain', until: '2031-12-31' });
  });
  it('5: the shortest maximum wins', () => {
    const policy = policyWith({ maximum: 'P4Y' }, { maximum: 'P2Y' }, { maximum: 'P3Y' });
    expect(assess(policy, voucher, '2027-01-01')).toMatchObject({ rule: 'rule-1', keepUntil: '2028-12-31' });
  });
  it('takes an unknown fact for every case: the shortest maximum holds', () => {
    const policy = policyWith(
      { when: { buyer: ['consumer'] }, maximum: 'P5Y' },
      { when: { buyer: ['business'] }, maximum: 'P2Y' },
    );
    expect(assess(policy, voucher, '2027-01-01').keepUntil).toBe('2028-12-31');
  });
});

describe('what is under way', () => {
  const contact = facts({ category: 'contact', relationship: 'ended', triggers: { 'contract-end': '2020-01-01' } });
  let jpi: Policy;
  beforeAll(async () => void (jpi = await loadPolicy('policy/jpi')));

  it('keeps a customer while a case is open, and no longer', () => {
    expect(assess(jpi, contact, '2026-01-01')).toMatchObject({ state: 'due', keepUntil: '2023-01-01' });
    const open = { ...contact, open: [{ untilEvent: 'case-closed' as const, since: '2022-12-01' }] };
    expect(assess(jpi, open, '2026-01-01')).toMatchObject({
      state: 'active',
      keepUntil: null,
      neverBeyond: null,
      expired: false,
    });
  });
  it('keeps a customer to the known end of a guarantee, on whatever day one asks', () => {
    const open = {
      ...contact,
      open: [{ untilEvent: 'guarantee-end' as const, since: '2019-01-01', until: '2027-07-01' }],
    };
    expect(assess(jpi, open, '2026-01-01').keepUntil).toBe('2027-07-01');
    expect(assess(jpi, open, '2030-01-01')).toMatchObject({ keepUntil: '2027-07-01', state: 'due' });
  });
  it('does not keep what does not wait for it', () => {
    const voucher = facts({
      category: 'billing',
      triggers: { 'fiscal-year-end': '2020-01-01' },
      open: [{ untilEvent: 'case-closed', since: '2022-01-01' }],
    });
    expect(assess(jpi, voucher, '2026-01-01').state).toBe('due');
  });
  it('has no date while the trigger has not come', () =>
    expect(assess(jpi, facts({ category: 'purchase', buyerKind: 'consumer' }), '2026-01-01')).toMatchObject({
      state: 'active',
      keepUntil: null,
      expired: false,
    }));
  it('restriction (art. 18) stops the sweep too', () =>
    expect(assess(jpi, { ...contact, restricted: true }, '2026-01-01')).toMatchObject({
      state: 'restricted',
      keepUntil: null,
    }));
});

describe('after the owner was erased', () => {
  let jpi: Policy;
  beforeAll(async () => void (jpi = await loadPolicy('policy/jpi')));
  const voucher = facts({ category: 'billing', ownerErased: true, triggers: { 'fiscal-year-end': '2026-03-10' } });

  it('a voucher is retained until its date, and due on the next day', () => {
    expect(assess(jpi, voucher, '2031-12-31')).toMatchObject({
      state: 'retained',
      keepUntil: '2031-12-31',
      expired: false,
    });
    expect(assess(jpi, voucher, '2032-01-01')).toMatchObject({ state: 'due', keepUntil: '2031-12-31', expired: true });
  });
  it('an open case is deferred, and due as soon as it is closed', () => {
    const open = facts({
      category: 'service',
      ownerErased: true,
      open: [{ untilEvent: 'case-closed', since: '2026-01-01' }],
    });
    expect(assess(jpi, open, '2026-06-01')).toMatchObject({ state: 'deferred', keepUntil: null, expired: false });
    const closed = { ...open, open: [], triggers: { 'case-closed': '2026-06-01' } };
    expect(assess(jpi, closed, '2026-06-02')).toMatchObject({ state: 'due', keepUntil: '2026-06-01', expired: true });
  });
  it('a hold still stops the sweep', () =>
    expect(assess(jpi, { ...voucher, holds: [{ holdId: 'h' }] }, '2033-01-01')).toMatchObject({
      state: 'held',
      keepUntil: null,
      expired: true,
    }));
});
