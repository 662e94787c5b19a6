import type { Day } from '#kernel';
import type { Category } from '#events';
import { addPeriod, earlierOf, endOfFiscalYear, endOfMonth, laterOf, period } from './calendar.js';
import type { RetentionRule, RuleCondition } from './manifest.js';
import type { OpenMatter, ScopeFacts } from './retention-facts.js';
import type { Trigger } from './triggers.js';

/** What of a policy the retention rules read. */
export interface RetentionPolicy {
  readonly retention: (category: Category) => readonly RetentionRule[];
  readonly calendar: { readonly fiscalYearEnd: string };
  readonly erasure: { readonly reviewEvery: string };
}

const admits = <T>(condition: readonly T[] | undefined, fact: T | undefined): boolean =>
  condition === undefined || fact === undefined || condition.includes(fact);

/** An unknown fact matches: the shortest maximum and the longest minimum among the rules that may apply then hold. */
export const ruleApplies = (
  when: RuleCondition,
  facts: Pick<ScopeFacts, 'relationship' | 'buyerKind' | 'owner'>,
): boolean =>
  admits(when.relationship, facts.relationship) &&
  admits(when.buyer, facts.buyerKind) &&
  admits(when.owner, facts.owner);

/** The day from which a trigger counts; undefined while it has not come. */
const dayOf = (policy: RetentionPolicy, facts: ScopeFacts, trigger: Trigger): Day | undefined => {
  const day = facts.triggers[trigger];
  if (day === undefined) return undefined;
  if (trigger === 'fiscal-year-end') return endOfFiscalYear(day, policy.calendar.fiscalYearEnd);
  return trigger === 'month-end' ? endOfMonth(day) : day;
};

/** What one rule says of one scope. Days are the last on which it may or must be kept. Today's date plays no part in it. */
export interface RuleDates {
  readonly rule: RetentionRule;
  /** The trigger's day; undefined while it has not come. */
  readonly from: Day | undefined;
  /** The trigger never came, and another one stands for it. */
  readonly presumed: boolean;
  readonly minimumUntil: Day | undefined;
  /** Undefined while the trigger has not come, or while something is awaited of which nobody knows when it comes. */
  readonly maximumUntil: Day | undefined;
  /** The open matters that this rule waits for. */
  readonly awaits: readonly OpenMatter[];
}

/** Works out one rule for one scope. */
export const datesOf = (policy: RetentionPolicy, rule: RetentionRule, facts: ScopeFacts): RuleDates => {
  const awaits = facts.open.filter((matter) => rule.waitsFor.includes(matter.untilEvent));
  const recorded = dayOf(policy, facts, rule.trigger);
  const stand = rule.otherwise && dayOf(policy, facts, rule.otherwise.trigger);
  const from = recorded ?? (rule.otherwise && stand && addPeriod(stand, period(rule.otherwise.after)));
  const base = { rule, from, presumed: recorded === undefined && from !== undefined, awaits };
  if (from === undefined) return { ...base, minimumUntil: undefined, maximumUntil: undefined };
  const minimum = period(rule.minimum);
  return {
    ...base,
    minimumUntil: minimum.months + minimum.days > 0 ? addPeriod(from, minimum) : undefined,
    maximumUntil: awaits.some((matter) => matter.until === undefined)
      ? undefined
      : maximumOf(policy, rule, facts, from, awaits),
  };
};

/** The maximum, or the later end that a guarantee gives; where the rule names a furthest end, not beyond that. */
const maximumOf = (
  policy: RetentionPolicy,
  rule: RetentionRule,
  facts: ScopeFacts,
  from: Day,
  awaits: readonly OpenMatter[],
): Day => {
  const maximum = addPeriod(from, period(rule.maximum));
  const extension = rule.extendedBy && dayOf(policy, facts, rule.extendedBy.trigger);
  const later = [extension, ...awaits.map((matter) => matter.until)].filter((day) => day !== undefined);
  const furthest = rule.extendedBy && addPeriod(from, period(rule.extendedBy.atMost));
  return later.map((day) => (furthest === undefined ? day : earlierOf(day, furthest))).reduce(laterOf, maximum);
};

/** What all rules of a scope say together (conflict order 2–5 of the retention rule set). */
export interface CombinedDates {
  /** The latest day to which a law holds it, and the rule that says so. */
  readonly minimum: { readonly until: Day; readonly rule: RetentionRule } | undefined;
  /** The earliest end of ordinary use, and the rule that says so. Undefined while no period runs. */
  readonly maximum: { readonly until: Day; readonly rule: RetentionRule } | undefined;
  /** The rules that give the maximum: the category's own, or where it has none for the case, those that it inherits. */
  readonly governing: readonly RuleDates[];
}

/**
 * The longest minimum of all rules, inherited ones included: no rule of the category's own sets a law aside. Then the shortest
 * maximum of the category's own rules, or else of the inherited ones. Throws when no rule covers the scope: the manifest's
 * check rules that out.
 */
export const combinedDates = (policy: RetentionPolicy, facts: ScopeFacts): CombinedDates => {
  const all = policy
    .retention(facts.category)
    .filter((rule) => ruleApplies(rule.when, facts))
    .map((rule) => datesOf(policy, rule, facts));
  if (all.length === 0) throw new Error(`the policy has no retention rule for ${facts.category}`);
  const own = all.filter(({ rule }) => rule.category !== 'any');
  const governing = own.length > 0 ? own : all;
  let minimum: CombinedDates['minimum'];
  for (const { rule, minimumUntil } of all)
    if (minimumUntil !== undefined && (!minimum || minimumUntil > minimum.until))
      minimum = { until: minimumUntil, rule };
  let maximum: CombinedDates['maximum'];
  for (const { rule, maximumUntil } of governing)
    if (maximumUntil !== undefined && (!maximum || maximumUntil < maximum.until))
      maximum = { until: maximumUntil, rule };
  return { minimum, maximum, governing };
};
