import { loadPolicy } from './load-policy.js';
import type { Policy } from './policy.js';
import type { OpenMatter, ScopeFacts } from './retention-facts.js';
import { planItem } from './retention-plan.js';

const today = '2026-11-23';
const facts = (changes: Partial<ScopeFacts> & Pick<ScopeFacts, 'category'>): ScopeFacts => ({
  ...{
    owner: 'subject',
    partition: '',
    relationship: 'customer',
    buyerKind: 'consumer',
    triggers: {},
    open: [],
    holds: [],
  },
  ...changes,
});

describe('erasing a person', () => {
  let policy: Policy;
  beforeAll(async () => void (policy = await loadPolicy('policy/webshop')));
  const contact = facts({ category: 'contact', triggers: { 'last-activity': '2026-03-10' } });
  const voucher = facts({ category: 'billing', triggers: { 'fiscal-year-end': '2026-03-10' } });
  const repair: OpenMatter = { untilEvent: 'case-closed', since: '2026-10-15' };
  const plan = (of: ScopeFacts, on = today) => planItem(policy, of, on);

  it('shreds now what nothing makes us keep', () => {
    expect(plan(contact)).toEqual({ action: 'shred', why: 'nothing makes us keep it' });
    expect(plan(facts({ category: 'purchase', triggers: { 'taking-over': '2026-03-12' } })).action).toBe('shred');
    expect(plan(facts({ category: 'superseded', triggers: { 'value-superseded': today } })).action).toBe('shred');
  });
  it('retains a voucher until the Bookkeeping Act’s date, and not a day longer', () => {
    expect(plan(voucher)).toMatchObject({ action: 'retain', until: '2031-12-31', law: 'Bokføringsloven § 13' });
    expect(plan(voucher, '2031-12-31').action).toBe('retain');
    expect(plan(voucher, '2032-01-01').action).toBe('shred');
  });
  it('defers what an open case needs, with a review every six months', () => {
    const item = plan({ ...contact, open: [repair] });
    expect(item).toEqual({
      action: 'defer',
      untilEvent: 'case-closed',
      reviewOn: '2027-04-15',
      law: 'GDPR art. 17(1)(a), (3)(e)',
      why: 'it is still necessary: a case is still open',
    });
    expect(plan({ ...contact, open: [repair] }, '2027-04-15').reviewOn).toBe('2027-10-15');
  });
  it('defers for a running guarantee until its day, and not after', () => {
    const guarantee: OpenMatter = { untilEvent: 'guarantee-end', since: '2026-03-12', until: '2028-03-12' };
    const purchase = facts({
      category: 'purchase',
      triggers: { 'taking-over': '2026-03-12', 'guarantee-end': '2028-03-12' },
      open: [guarantee],
    });
    expect(plan(purchase)).toMatchObject({
      action: 'defer',
      untilEvent: 'guarantee-end',
      until: '2028-03-12',
      reviewOn: '2027-03-12',
    });
    expect(plan(purchase, '2028-03-12').action).toBe('defer');
    expect(plan(purchase, '2028-03-13').action).toBe('shred');
  });
  it('names the matter that ends last, and the first review', () => {
    const unpaid: OpenMatter = { untilEvent: 'invoice-paid', since: '2026-06-01', until: '2026-12-31' };
    expect(plan({ ...contact, open: [unpaid, repair] })).toMatchObject({
      untilEvent: 'case-closed',
      reviewOn: '2026-12-01',
      why: 'it is still necessary: a case is still open, an invoice is still unpaid',
    });
    expect(plan({ ...contact, open: [unpaid, repair] })).not.toHaveProperty('until');
  });
  it('takes the review date that was given', () =>
    expect(plan({ ...contact, open: [{ ...repair, reviewOn: '2026-12-24' }] }).reviewOn).toBe('2026-12-24'));
  it('does not defer what does not serve the open matter', () =>
    expect(
      plan(facts({ category: 'superseded', triggers: { 'value-superseded': today }, open: [repair] })).action,
    ).toBe('shred'));
  it('leaves alone what a legal hold covers, the law’s minimum included', () => {
    expect(
      plan({
        ...voucher,
        holds: [
          { holdId: 'a', reviewOn: '2027-06-01' },
          { holdId: 'b', reviewOn: '2027-01-01' },
        ],
      }),
    ).toEqual({
      action: 'hold',
      reviewOn: '2027-01-01',
      why: '2 legal holds cover it',
    });
    expect(plan({ ...contact, holds: [{ holdId: 'a' }] })).toEqual({ action: 'hold', why: 'a legal hold covers it' });
  });
  it('leaves alone what is restricted (art. 18), until that is lifted', () =>
    expect(plan({ ...contact, restricted: true })).toMatchObject({ action: 'hold', law: 'GDPR art. 18' }));
  it('shreds what is past its maximum, whatever is open', () => {
    const old = facts({ category: 'superseded', triggers: { 'value-superseded': '2020-01-01' } });
    expect(plan(old)).toEqual({ action: 'shred', why: 'its time was over on 2020-04-01' });
  });
});
