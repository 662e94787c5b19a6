import type { Day } from '#kernel';
import { addPeriod, earlierOf, laterOf, period } from './calendar.js';
import type { AwaitedEvent } from './manifest.js';
import type { OpenMatter, PlanItem, ScopeFacts } from './retention-facts.js';
import type { RetentionPolicy } from './retention-rules.js';
import { combinedDates } from './retention-rules.js';

const AWAITED: Record<AwaitedEvent, string> = {
  'case-closed': 'a case is still open',
  'invoice-paid': 'an invoice is still unpaid',
  'guarantee-end': 'a guarantee is still running',
};

/**
 * What erasing the owner does to one scope. In this order: a legal hold or a restriction stops it; a law's minimum retains
 * it (the longest wins); what is still necessary defers it (GDPR art. 17(1)(a), (3)(e)); else it is shredded now.
 * Pure, and equal for equal facts on any day between two dates that it names: the approved hash has to be met again.
 */
export const planItem = (policy: RetentionPolicy, facts: ScopeFacts, today: Day): PlanItem => {
  if (facts.holds.length > 0) return onHold(facts);
  if (facts.restricted)
    return {
      action: 'hold',
      law: 'GDPR art. 18',
      why: 'its use is restricted, and whoever asked for that is told before it is lifted (art. 18(3))',
    };
  const { minimum, maximum, governing } = combinedDates(policy, facts);
  if (minimum && minimum.until >= today)
    return {
      action: 'retain',
      until: minimum.until,
      ...(minimum.rule.law === undefined ? {} : { law: minimum.rule.law }),
      why: `${minimum.rule.law ?? 'a law'} makes us keep it until ${minimum.until}; then it is shredded`,
    };
  if (maximum && maximum.until < today) return { action: 'shred', why: `its time was over on ${maximum.until}` };
  const matters = new Set(
    governing.flatMap((dates) => dates.awaits).filter(({ until }) => until === undefined || until >= today),
  );
  if (matters.size > 0) return deferred(policy, [...matters], today);
  return {
    action: 'shred',
    why: minimum ? `the time that ${minimum.rule.law ?? 'a law'} asks for is over` : 'nothing makes us keep it',
  };
};

const onHold = ({ holds }: ScopeFacts): PlanItem => {
  const reviews = holds.flatMap(({ reviewOn }) => (reviewOn === undefined ? [] : [reviewOn]));
  return {
    action: 'hold',
    ...(reviews.length === 0 ? {} : { reviewOn: reviews.reduce(earlierOf) }),
    why: holds.length === 1 ? 'a legal hold covers it' : `${holds.length} legal holds cover it`,
  };
};

const deferred = (policy: RetentionPolicy, matters: readonly OpenMatter[], today: Day): PlanItem => {
  // The matter that ends last names the event: one without a known end outlasts all that have one.
  const last = matters.reduce((a, b) => (endOf(b) > endOf(a) ? b : a));
  return {
    action: 'defer',
    ...(last.until === undefined ? {} : { until: last.until }),
    untilEvent: last.untilEvent,
    reviewOn: matters.map((matter) => reviewOf(policy, matter, today)).reduce(earlierOf),
    law: 'GDPR art. 17(1)(a), (3)(e)',
    why: `it is still necessary: ${[...new Set(matters.map((m) => AWAITED[m.untilEvent]))].sort().join(', ')}`,
  };
};

const endOf = (matter: OpenMatter): Day => matter.until ?? '9999-12-31';

/** The first review after today, counted from the matter's beginning. */
const reviewOf = (policy: RetentionPolicy, matter: OpenMatter, today: Day): Day => {
  if (matter.reviewOn !== undefined) return matter.reviewOn;
  const every = period(policy.erasure.reviewEvery);
  for (let n = 1; ; n++) {
    const review = addPeriod(matter.since, { months: every.months * n, days: every.days * n });
    if (review > today) return matter.until === undefined ? review : earlierOf(review, laterOf(matter.until, today));
  }
};
