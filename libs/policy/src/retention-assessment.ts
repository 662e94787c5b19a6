import type { Day } from '#kernel';
import { addDays, earlierOf } from './calendar.js';
import type { RetentionRule } from './manifest.js';
import { planItem } from './retention-plan.js';
import type { Assessment, ScopeFacts, ScopeState } from './retention-facts.js';
import type { CombinedDates, RetentionPolicy } from './retention-rules.js';
import { combinedDates } from './retention-rules.js';

/**
 * How long one scope is kept, why, and how it stands today. Conflict order: a legal hold; a law's minimum (it then *retains*:
 * ordinary use ends at the shortest maximum all the same); the longest minimum; a rule of the category's own before an
 * inherited one; the shortest maximum; then it is erased.
 * The dates follow from the facts alone, so read models may store them; only `state`, `expired` and `why` look at today.
 */
export const assess = (policy: RetentionPolicy, facts: ScopeFacts, today: Day): Assessment => {
  const dates = combinedDates(policy, facts);
  const end = endOf(policy, facts, dates, today);
  const rule = end.rule;
  const held = facts.holds.length > 0 || facts.restricted === true;
  const state = stateOf(facts, end, today);
  return {
    state,
    rule: rule.id,
    purpose: rule.purpose,
    basis: rule.basis,
    ...(rule.law === undefined ? {} : { law: rule.law }),
    keepUntil: held ? null : end.until,
    minimumUntil: dates.minimum?.until ?? null,
    ...(dates.minimum?.rule.law === undefined ? {} : { minimumLaw: dates.minimum.rule.law }),
    neverBeyond: end.until,
    expired: end.until !== null && today > end.until,
    why: whyOf(policy, facts, end, state, today),
  };
};

interface End {
  readonly rule: RetentionRule;
  readonly until: Day | null;
  /** The last day of ordinary use. */
  readonly useUntil: Day | null;
  readonly deferred: boolean;
}

const endOf = (
  policy: RetentionPolicy,
  facts: ScopeFacts,
  { minimum, maximum, governing }: CombinedDates,
  today: Day,
): End => {
  if (facts.ownerErased) return endAfterErasure(policy, facts, { minimum, maximum, governing }, today);
  // No period runs: the rule with something awaited, or the first, says why.
  if (!maximum)
    return {
      rule: (governing.find((d) => d.awaits.length > 0) ?? governing[0]!).rule,
      until: null,
      useUntil: null,
      deferred: false,
    };
  const byLaw = minimum !== undefined && minimum.until > maximum.until;
  return {
    rule: byLaw ? minimum.rule : maximum.rule,
    until: byLaw ? minimum.until : maximum.until,
    useUntil: maximum.until,
    deferred: false,
  };
};

/** After an erasure the purposes are gone: what is left is what the plan would say today, hold or not. */
const endAfterErasure = (policy: RetentionPolicy, facts: ScopeFacts, dates: CombinedDates, today: Day): End => {
  const item = planItem(policy, { ...facts, holds: [], restricted: false }, today);
  const rule = (dates.minimum ?? dates.maximum)?.rule ?? dates.governing[0]!.rule;
  if (item.action === 'retain' && item.until) return { rule, until: item.until, useUntil: null, deferred: false };
  if (item.action === 'defer') return { rule, until: null, useUntil: null, deferred: true };
  // Its reason has fallen away: due since its own last day, or since yesterday at the latest.
  const yesterday = addDays(today, -1);
  const last = dates.minimum?.until ?? dates.maximum?.until;
  return { rule, until: last === undefined ? yesterday : earlierOf(last, yesterday), useUntil: null, deferred: false };
};

const stateOf = (facts: ScopeFacts, end: End, today: Day): ScopeState => {
  if (facts.holds.length > 0) return 'held';
  if (facts.restricted) return 'restricted';
  if (end.deferred) return 'deferred';
  if (end.until !== null && today > end.until) return 'due';
  if (facts.ownerErased || (end.useUntil !== null && today > end.useUntil)) return 'retained';
  return 'active';
};

const whyOf = (policy: RetentionPolicy, facts: ScopeFacts, end: End, state: ScopeState, today: Day): string => {
  switch (state) {
    case 'held':
    case 'restricted':
    case 'deferred':
      return planItem(policy, facts, today).why;
    case 'due':
      return `its time was over on ${end.until}: ${end.rule.why}`;
    case 'retained':
      return `only ${end.rule.law ?? 'a law'} keeps it, until ${end.until}`;
    case 'active':
      return end.until === null ? `no period runs yet: ${end.rule.why}` : end.rule.why;
  }
};
