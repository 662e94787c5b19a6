import type { Category } from '#events';
import type { Manifest, RetentionRule } from '#policy';
import { Policy } from '#policy';

type RuleOf = Pick<RetentionRule, 'category' | 'trigger' | 'maximum'> & Partial<RetentionRule>;

/** A policy with these retention rules and nothing else of interest, for specs that are about dates. */
export const policyOf = (rules: readonly RuleOf[], changes: Partial<Manifest> = {}): Policy => {
  const wording = { nb: '', en: '' };
  const retention = rules.map((rule) => ({
    ...{
      id: rule.category,
      when: {},
      purpose: 'avtale',
      basis: 'art6-1-b',
      minimum: 'P0D',
      waitsFor: [],
      why: 'a rule',
    },
    ...rule,
  })) as readonly RetentionRule[];
  const categories = Object.fromEntries(
    rules.map(({ category }) => [category as Category, { text: wording, purposes: ['avtale'], basis: 'art6-1-b' }]),
  );
  const manifest = {
    ...{ manifest: 1, version: '1.0.0', categories, retention, purposes: [] },
    calendar: { fiscalYearEnd: '12-31' },
    erasure: {
      fourEyes: true,
      grounds: [{ id: 'subject-request', law: 'GDPR art. 17', text: wording }],
      reviewEvery: 'P3M',
    },
    sweep: { scopes: 20, percent: 2 },
    ...changes,
  };
  return new Policy(manifest as unknown as Manifest, 'ab'.repeat(32));
};
