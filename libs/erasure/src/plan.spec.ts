import fc from 'fast-check';
import type { ErasureId } from '#kernel';
import { newId } from '#kernel';
import type { PlannedScope } from './erasure.events.js';
import { planHash, planSummary } from './plan.js';

const erasureId = newId<ErasureId>();
const salt = 'ab'.repeat(32);
const billing: PlannedScope = {
  category: 'billing',
  partition: newId(),
  action: 'retain',
  until: '2031-12-31',
  law: 'bokføringsloven § 13',
  why: 'the law keeps it',
};
const contact: PlannedScope = { category: 'contact', partition: '', action: 'shred', why: 'nothing keeps it' };
const repair: PlannedScope = {
  category: 'service',
  partition: newId(),
  action: 'defer',
  until: '2027-03-12',
  untilEvent: 'case-closed',
  reviewOn: '2027-01-01',
  why: 'a case is still open',
};
const items = [billing, contact, repair];
const hash = (changed: readonly PlannedScope[], saltUsed = salt) => planHash(changed, erasureId, saltUsed);

describe('the hash of an erasure plan', () => {
  it('is the same for every order of the items', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray(items, { minLength: 3 }), (shuffled) => expect(hash(shuffled)).toBe(hash(items))),
    );
  });

  it('changes with every category, partition, action, date, event and law, and with an item more or less', () => {
    const others = [
      [contact, repair],
      [...items, { ...billing, partition: newId() }],
      [{ ...billing, category: 'purchase' as const }, contact, repair],
      [{ ...billing, partition: newId() }, contact, repair],
      [{ ...billing, action: 'shred' as const }, contact, repair],
      [{ ...billing, until: '2030-12-31' }, contact, repair],
      [{ ...billing, law: 'another law' }, contact, repair],
      [billing, contact, { ...repair, untilEvent: 'guarantee-end' as const }],
    ];
    expect(new Set([hash(items), ...others.map((other) => hash(other))]).size).toBe(others.length + 1);
  });

  it('covers no free text, and neither the scope of the erasure itself nor the traces of looking at the plan', () => {
    const own: PlannedScope = { category: 'request', partition: erasureId, action: 'shred', why: '' };
    const trace: PlannedScope = { category: 'trace', partition: '2026-11', action: 'shred', why: '' };
    expect(hash([{ ...billing, why: 'said otherwise' }, contact, repair, own, trace])).toBe(hash(items));
    expect(hash([...items, { ...own, partition: newId() }])).not.toBe(hash(items));
  });

  it('is useless without the salt, which is destroyed with the person', () => {
    expect(hash(items, 'cd'.repeat(32))).not.toBe(hash(items));
  });
});

describe('the summary of a plan', () => {
  it('counts by category and action, with statutory dates and without partitions or any other date', () => {
    expect(planSummary([...items, { ...billing, partition: newId() }])).toEqual([
      { category: 'billing', action: 'retain', count: 2, until: '2031-12-31', law: 'bokføringsloven § 13' },
      { category: 'contact', action: 'shred', count: 1 },
      { category: 'service', action: 'defer', count: 1, untilEvent: 'case-closed' },
    ]);
  });
});
