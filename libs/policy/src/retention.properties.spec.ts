import fc from 'fast-check';
import { addDays, addPeriod, earlierOf, laterOf, period } from './calendar.js';
import type { RetentionRule } from './manifest.js';
import { assess } from './retention-assessment.js';
import type { ScopeFacts } from './retention-facts.js';
import { planItem } from './retention-plan.js';
import type { RetentionPolicy } from './retention-rules.js';

const day = fc
  .date({ min: new Date('2015-01-01'), max: new Date('2045-01-01'), noInvalidDate: true })
  .map((date) => date.toISOString().slice(0, 10));
const months = fc.nat(120).map((n) => `P${n}M`);

/** A rule whose maximum is at least its minimum, as the manifest's check demands. */
const rule: fc.Arbitrary<RetentionRule> = fc
  .record({
    minimum: fc.oneof(fc.constant(0), fc.nat(80)),
    more: fc.nat(80),
    trigger: fc.constantFrom('taking-over' as const, 'last-activity' as const),
    otherwise: fc.option(months, { nil: undefined }),
    extension: fc.option(fc.nat(60), { nil: undefined }),
    waitsFor: fc.subarray(['case-closed', 'invoice-paid', 'guarantee-end'] as const),
    id: fc.uuid(),
  })
  .map(({ minimum, more, trigger, otherwise, extension, waitsFor, id }) => ({
    ...{ id, category: 'purchase', when: {}, purpose: 'p', basis: 'art6-1-c', law: `law of ${id}`, why: 'because' },
    ...{ trigger, minimum: `P${minimum}M`, maximum: `P${minimum + more}M`, waitsFor },
    ...(otherwise === undefined ? {} : { otherwise: { trigger: 'last-contact', after: otherwise } }),
    ...(extension === undefined
      ? {}
      : { extendedBy: { trigger: 'guarantee-end', atMost: `P${minimum + more + extension}M` } }),
  }));
const rules = fc.array(rule, { minLength: 1, maxLength: 4 });

const triggers = fc.record(
  { 'taking-over': day, 'last-activity': day, 'last-contact': day, 'guarantee-end': day },
  { requiredKeys: [] },
);
const openMatter = fc
  .record({
    untilEvent: fc.constantFrom('case-closed' as const, 'invoice-paid' as const, 'guarantee-end' as const),
    since: day,
    until: fc.option(day, { nil: undefined }),
  })
  .map(({ until, ...matter }) => (until === undefined ? matter : { ...matter, until }));

const quiet: fc.Arbitrary<ScopeFacts> = triggers.map((given) => ({
  ...{ category: 'purchase', owner: 'subject', partition: '', open: [], holds: [] },
  triggers: given,
}));
const anyFacts: fc.Arbitrary<ScopeFacts> = fc
  .record({
    scope: quiet,
    open: fc.array(openMatter, { maxLength: 3 }),
    holds: fc.array(fc.record({ holdId: fc.uuid() }), { maxLength: 2 }),
    restricted: fc.boolean(),
    ownerErased: fc.boolean(),
  })
  .map(({ scope, ...more }) => ({ ...scope, ...more }));

const policyOf = (of: readonly RetentionRule[]): RetentionPolicy => ({
  retention: () => of,
  calendar: { fiscalYearEnd: '12-31' },
  erasure: { reviewEvery: 'P6M' },
});

/** From when a rule counts, told a second time and otherwise than the code tells it. */
const fromOf = (of: RetentionRule, { triggers: given }: ScopeFacts) => {
  if (given[of.trigger]) return given[of.trigger];
  const stand = of.otherwise && given[of.otherwise.trigger];
  return stand === undefined ? undefined : addPeriod(stand, period(of.otherwise!.after));
};

describe('retention, whatever the rules and facts', () => {
  it('never keeps beyond every maximum and every minimum that a rule gives', () =>
    fc.assert(
      fc.property(rules, quiet, day, (of, facts, today) => {
        const { keepUntil } = assess(policyOf(of), facts, today);
        const ends = of.flatMap((one) => {
          const from = fromOf(one, facts);
          if (from === undefined) return [];
          const extended = one.extendedBy && facts.triggers['guarantee-end'];
          const furthest = extended && earlierOf(extended, addPeriod(from, period(one.extendedBy!.atMost)));
          return [laterOf(addPeriod(from, period(one.maximum)), furthest ?? from)];
        });
        if (ends.length === 0) expect(keepUntil).toBeNull();
        else expect(keepUntil! <= ends.reduce(laterOf)).toBe(true);
      }),
    ));

  it('never lets a shorter rule win over a law’s minimum', () =>
    fc.assert(
      fc.property(rules, anyFacts, day, (of, facts, today) => {
        const { keepUntil, expired } = assess(policyOf(of), facts, today);
        for (const one of of) {
          const from = fromOf(one, facts);
          if (from === undefined || one.minimum === 'P0M') continue;
          const minimum = addPeriod(from, period(one.minimum));
          if (keepUntil !== null) expect(keepUntil >= minimum).toBe(true);
          if (today <= minimum) {
            expect(expired).toBe(false);
            expect(['retain', 'hold']).toContain(planItem(policyOf(of), facts, today).action);
          }
        }
      }),
    ));

  it('keeps nothing longer because a rule was added, unless a law’s minimum asks for it', () =>
    fc.assert(
      fc.property(rules, rule, quiet, day, (of, one, facts, today) => {
        const before = assess(policyOf(of), facts, today).keepUntil;
        const after = assess(policyOf([...of, { ...one, minimum: 'P0D' }]), facts, today).keepUntil;
        if (before !== null) expect(after !== null && after <= before).toBe(true);
      }),
    ));

  it('keeps no longer when a maximum is shortened, and no shorter when everything happened later', () =>
    fc.assert(
      fc.property(rules, quiet, day, fc.nat(400), (of, facts, today, later) => {
        const policy = policyOf(of);
        const { keepUntil } = assess(policy, facts, today);
        const moved = Object.fromEntries(
          Object.entries(facts.triggers).map(([key, value]) => [key, addDays(value, later)]),
        );
        const afterwards = assess(policy, { ...facts, triggers: moved }, today).keepUntil;
        const shorter = policyOf(of.map(({ extendedBy: _, ...one }) => ({ ...one, maximum: one.minimum })));
        const sooner = assess(shorter, facts, today).keepUntil;
        if (keepUntil === null) expect([afterwards, sooner]).toEqual([null, null]);
        else expect(afterwards! >= keepUntil && sooner! <= keepUntil).toBe(true);
      }),
    ));

  it('says the same dates on any day, as long as the owner is not erased', () =>
    fc.assert(
      fc.property(rules, anyFacts, day, day, (of, facts, today, other) => {
        const dates = (on: string) => {
          const {
            keepUntil,
            minimumUntil,
            neverBeyond,
            rule: by,
          } = assess(policyOf(of), { ...facts, ownerErased: false }, on);
          return { keepUntil, minimumUntil, neverBeyond, by };
        };
        expect(dates(today)).toEqual(dates(other));
      }),
    ));

  it('is due exactly from the day after the last one kept, unless it is held or restricted', () =>
    fc.assert(
      fc.property(rules, anyFacts, day, (of, facts, today) => {
        const { state, keepUntil, neverBeyond, expired } = assess(policyOf(of), facts, today);
        expect(state === 'due').toBe(keepUntil !== null && today > keepUntil);
        expect(expired).toBe(neverBeyond !== null && today > neverBeyond);
        expect(state === 'held' || state === 'restricted').toBe(facts.holds.length > 0 || facts.restricted === true);
      }),
    ));

  it('gives, after an erasure, the state that the plan gave it', () =>
    fc.assert(
      fc.property(rules, anyFacts, day, (of, facts, today) => {
        const policy = policyOf(of);
        const { action, until } = planItem(policy, facts, today);
        const after = assess(policy, { ...facts, ownerErased: true }, today);
        const states = { shred: ['due'], retain: ['retained'], defer: ['deferred'], hold: ['held', 'restricted'] };
        expect(states[action]).toContain(after.state);
        if (action === 'retain') expect(after.keepUntil).toBe(until);
        if (action === 'shred') expect(after.expired).toBe(true);
      }),
    ));

  it('plans no date that is over, and the same plan until one of its dates has come', () =>
    fc.assert(
      fc.property(rules, anyFacts, day, fc.nat(2000), (of, facts, today, later) => {
        const policy = policyOf(of);
        const plan = planItem(policy, facts, today);
        for (const date of [plan.until, plan.reviewOn]) if (date !== undefined) expect(date >= today).toBe(true);
        const dates = [plan.until, plan.reviewOn].filter((date) => date !== undefined);
        const next = addDays(today, later);
        const known = facts.open.flatMap(({ until }) => (until === undefined ? [] : [until]));
        const nothingEnds = [...dates, ...known.filter((end) => end >= today)].every((date) => next < date);
        const { neverBeyond } = assess(policy, facts, today);
        if (nothingEnds && (neverBeyond === null || next <= neverBeyond || today > neverBeyond))
          // The explanation is free text, and no part of what is approved.
          expect({ ...planItem(policy, facts, next), why: '' }).toEqual({ ...plan, why: '' });
      }),
    ));
});
