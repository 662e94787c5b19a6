import type { Category } from '#events';
import { CATEGORIES } from '#events';
import { addDays, addPeriod, period } from './calendar.js';
import type { Problem } from './manifest-document.js';
import type { Manifest, RetentionRule } from './manifest.js';
import { ruleApplies } from './retention-rules.js';
import type { Trigger, TriggerKind } from './triggers.js';
import { TRIGGERS } from './triggers.js';
import { twice } from './twice.js';

/** What is wrong with the retention rules: each by itself, and whether together they leave a case without an end. */
export const retentionProblems = (manifest: Manifest): readonly Problem[] => [
  ...twice(manifest.retention, ({ id }) => id, 'retention rule', 'retention'),
  ...manifest.retention.flatMap((rule, i) =>
    ruleProblems(manifest, rule).map((message) => ({
      at: ['retention', i],
      message: `Retention rule "${rule.id}" ${message}`,
    })),
  ),
  ...uncoveredCases(manifest),
];

const ruleProblems = (manifest: Manifest, rule: RetentionRule): string[] => [
  ...nameProblems(manifest, rule),
  ...triggerProblems(rule, rule.trigger),
  ...(rule.otherwise ? triggerProblems(rule, rule.otherwise.trigger) : []),
  ...(rule.extendedBy ? triggerProblems(rule, rule.extendedBy.trigger) : []),
  ...periodProblems(rule),
];

const nameProblems = (manifest: Manifest, rule: RetentionRule): string[] => {
  const problems: string[] = [];
  const purpose = manifest.purposes.find(({ id }) => id === rule.purpose);
  if (!purpose)
    problems.push(
      `serves the purpose "${rule.purpose}", which is not in the list of purposes. Name one of: ${manifest.purposes.map(({ id }) => id).join(', ')}.`,
    );
  if (rule.category === 'any') return problems;
  const category = manifest.categories[rule.category];
  if (!category) problems.push(`is for category "${rule.category}", which the policy does not describe.`);
  else if (purpose && !category.purposes.includes(rule.purpose))
    problems.push(
      `keeps category "${rule.category}" for the purpose "${rule.purpose}", but the category does not serve it. Add the purpose to the category, or keep it for one of: ${category.purposes.join(', ')}.`,
    );
  return problems;
};

/** One key can't carry two dates: a trigger may come only as often as the category has keys. */
const triggerProblems = (rule: RetentionRule, trigger: Trigger): string[] => {
  const kind: TriggerKind | undefined = Object.hasOwn(TRIGGERS, trigger) ? TRIGGERS[trigger] : undefined;
  if (!kind)
    return [`counts from "${trigger}", which is no trigger. Choose one of: ${Object.keys(TRIGGERS).join(', ')}.`];
  if (kind.comes === 'per owner') return [];
  if (rule.category !== 'any' && kind.comes.includes(rule.category)) return [];
  const own = kind.comes.join(', ');
  const fitting = triggersFor(rule.category).join(', ');
  if (rule.category === 'any' || CATEGORIES[rule.category] === 'none')
    return [
      `counts from "${trigger}", which comes once for each ${own} record, but category "${rule.category}" has one key per person, and one key can't carry two dates. Count from one of: ${fitting}.`,
    ];
  return [
    `counts from "${trigger}", which belongs to category ${own} and says nothing about "${rule.category}". Count from one of: ${fitting}.`,
  ];
};

const triggersFor = (category: Category | 'any'): string[] =>
  Object.entries<TriggerKind>(TRIGGERS)
    .filter(([, { comes }]) => comes === 'per owner' || (category !== 'any' && comes.includes(category)))
    .map(([trigger]) => trigger);

const periodProblems = (rule: RetentionRule): string[] => {
  const problems: string[] = [];
  const minimum = period(rule.minimum);
  if (minimum.months + minimum.days > 0 && !rule.law)
    problems.push(
      `has a minimum of ${rule.minimum} and names no law. Only a law can make us keep what a person wants erased (GDPR art. 17(3)(b)): give law:, or minimum: P0D.`,
    );
  if (rule.basis === 'art6-1-c' && !rule.law)
    problems.push('rests on a legal obligation (art6-1-c) and names no law. Give law: with the provision.');
  if (!rule.law && !rule.controllersChoice)
    problems.push(
      'has a maximum that no law gives. Say controllersChoice: true, so that it is shown as a default to be confirmed, or name the law.',
    );
  if (everLonger(rule.minimum, rule.maximum))
    problems.push(
      `must keep for ${rule.minimum} what it may keep for ${rule.maximum} at most. Make the maximum at least as long as the minimum.`,
    );
  if (rule.extendedBy && everLonger(rule.maximum, rule.extendedBy.atMost))
    problems.push(
      `may be extended to ${rule.extendedBy.atMost}, which is shorter than its own maximum of ${rule.maximum}. Make atMost at least as long.`,
    );
  return problems;
};

/** Whether one period outlasts another from any day at all: months differ in length, so four years of days are tried. */
const everLonger = (one: string, other: string): boolean => {
  const [a, b] = [period(one), period(other)];
  if (a.months <= b.months && a.days <= b.days) return false;
  for (let n = 0; n < 1461; n++) {
    const day = addDays('2024-01-01', n);
    if (addPeriod(day, a) > addPeriod(day, b)) return true;
  }
  return false;
};

const RELATIONSHIPS = ['lead', 'customer', 'ended'] as const;
const BUYERS = ['consumer', 'business'] as const;
const OWNERS = ['subject', 'company'] as const;

/** Cases of a category that no rule covers: they would be kept without an end. */
const uncoveredCases = ({ categories, retention }: Manifest): Problem[] =>
  (Object.keys(categories) as Category[]).flatMap((category) => {
    const rules = retention.filter((rule) => rule.category === category || rule.category === 'any');
    const at = ['categories', category];
    if (rules.length === 0)
      return [
        {
          at,
          message: `Category "${category}" has no retention rule, so nothing says when it ends (GDPR art. 5(1)(e)). Add a rule with a maximum.`,
        },
      ];
    const open = RELATIONSHIPS.flatMap((relationship) =>
      BUYERS.flatMap((buyerKind) => OWNERS.map((owner) => ({ relationship, buyerKind, owner }))),
    ).find((facts) => !rules.some((rule) => ruleApplies(rule.when, facts)));
    if (!open) return [];
    return [
      {
        at,
        message: `Category "${category}" has no retention rule for relationship "${open.relationship}", buyer "${open.buyerKind}", owner "${open.owner}". Add a rule, or widen the "when" of one of: ${rules.map(({ id }) => id).join(', ')}.`,
      },
    ];
  });
