import type { Category } from '#events';
import type { Problem } from './manifest-document.js';
import type { Manifest, PolicyField, RecordKind, RecordName } from './manifest.js';
import { retentionProblems } from './retention-checks.js';
import { twice } from './twice.js';

/**
 * Looks at a manifest of the right form as a whole: does every part that it names exist, and can it be kept? All
 * problems at once, each a sentence that says which rule, what is wrong, and which law or number would mend it.
 */
export const manifestProblems = (manifest: Manifest): readonly Problem[] => [
  ...categoryProblems(manifest),
  ...purposeProblems(manifest),
  ...fieldProblems(manifest),
  ...retentionProblems(manifest),
  ...settingProblems(manifest),
];

/** The product can't do its work without these: rectifying, answering a request and reading leave records of their own. */
const NEEDED: Partial<Record<Category, string>> = {
  contact: 'customers are stored under it',
  purchase: 'purchases are stored under it',
  service: 'service cases are stored under it',
  request: 'requests and erasures are documented under it',
  superseded: 'a rectified value is kept under it for a while (GDPR art. 16)',
  trace: 'who read what is recorded under it (GDPR art. 32)',
};

const categoryProblems = ({ categories, purposes, vouchers }: Manifest): Problem[] => {
  const problems: Problem[] = [];
  const known = new Set(purposes.map(({ id }) => id));
  for (const [category, reason] of Object.entries(NEEDED))
    if (!(category in categories))
      problems.push({ at: ['categories'], message: `Category "${category}" is missing: ${reason}. Describe it.` });
  for (const [category, { purposes: named }] of Object.entries(categories))
    problems.push(...unknownPurposes(named, known, `Category "${category}"`, ['categories', category, 'purposes']));
  if (vouchers.held === 'here' && !categories.billing)
    problems.push({
      at: ['vouchers'],
      message: `The vouchers are held here, but there is no category "billing" to keep them in (${vouchers.law}). Describe it, or say held: elsewhere.`,
    });
  if (vouchers.held === 'elsewhere' && categories.billing)
    problems.push({
      at: ['categories', 'billing'],
      message:
        'The vouchers are held elsewhere, so nothing may be kept for bookkeeping here. Take category "billing" out, or say held: here.',
    });
  return problems;
};

const unknownPurposes = (
  named: readonly string[],
  known: ReadonlySet<string>,
  who: string,
  at: Problem['at'],
): Problem[] =>
  named
    .filter((purpose) => !known.has(purpose))
    .map((purpose) => ({
      at,
      message: `${who} serves the purpose "${purpose}", which is not in the list of purposes (it is closed: GDPR art. 5(1)(b)). Name one of: ${[...known].join(', ')}.`,
    }));

const purposeProblems = (manifest: Manifest): Problem[] => {
  const problems: Problem[] = twice(manifest.purposes, ({ id }) => id, 'purpose', 'purposes');
  manifest.purposes.forEach((purpose, i) => {
    const say = (message: string) =>
      problems.push({ at: ['purposes', i], message: `Purpose "${purpose.id}" ${message}` });
    if (purpose.source === 'law' && !purpose.law)
      say('comes from the law, but names none. Give law: with the provision.');
    if (purpose.source === 'statement' && manifest.statement && !purpose.statement)
      say('comes from the statement, but does not quote it. Give statement: with its words.');
    for (const access of purpose.access) {
      if (access.roles.includes('analyst'))
        say('gives personal data to the role "analyst". Analysts get figures, not people: take the role out.');
      for (const category of new Set([...access.read, ...access.write]))
        if (!(category in manifest.categories))
          say(`gives access to category "${category}", which the policy does not describe.`);
    }
  });
  return problems;
};

const KINDS: Record<RecordName, readonly RecordKind[]> = {
  customer: ['lead', 'customer'],
  company: ['lead', 'customer', 'company'],
  purchase: ['purchase'],
  serviceCase: ['serviceCase'],
};

const fieldProblems = (manifest: Manifest): Problem[] => {
  const known = new Set(manifest.purposes.map(({ id }) => id));
  return (Object.keys(KINDS) as RecordName[]).flatMap((record) => [
    ...twice(manifest.records[record], ({ field }) => field, `field of ${record}`, 'records', record),
    ...manifest.records[record].flatMap((field, i) => {
      const at = ['records', record, i];
      const who = `Field "${field.field}" of ${record}`;
      return [
        ...unknownPurposes(field.purposes, known, who, at),
        ...oneFieldProblems(manifest, record, field).map((message) => ({ at, message: `${who} ${message}` })),
      ];
    }),
  ]);
};

const oneFieldProblems = (manifest: Manifest, record: RecordName, field: PolicyField): string[] => {
  const problems: string[] = [];
  if (!(field.category in manifest.categories))
    problems.push(`is of category "${field.category}", which the policy does not describe.`);
  for (const kind of field.requiredFor)
    if (!KINDS[record].includes(kind))
      problems.push(`can't be required for "${kind}": it does not stand in that record.`);
  if (field.basis === 'art6-1-a' && field.requiredFor.length > 0)
    problems.push(
      'rests on consent (art6-1-a) and is required all the same. A consent that one must give is none (GDPR art. 7(4)): make it optional, or name another basis.',
    );
  if (field.category === 'profile' && field.provenance !== 'volunteered')
    problems.push(
      'feeds a profile, which may hold only what people volunteered (statement S7). Say provenance: volunteered, or choose another category.',
    );
  if (manifest.statement && (record === 'customer' || record === 'company') && !field.statement === !field.technical)
    problems.push(
      'needs one of two: statement: with the word by which the published statement names it, or technical: with the reason why it stands here unnamed.',
    );
  if (
    record === 'customer' &&
    field.field.startsWith('address.') &&
    Object.values(manifest.relationships).every(({ address }) => address === 'forbidden')
  )
    problems.push(
      'belongs to an address, which neither a lead nor a customer may have here. Take it out, or allow the address.',
    );
  return problems;
};

const settingProblems = ({ calendar, erasure, rights }: Manifest): Problem[] => {
  const problems: Problem[] = [
    ...twice(erasure.grounds, ({ id }) => id, 'ground', 'erasure', 'grounds'),
    ...twice(rights, ({ id }) => id, 'right', 'rights'),
  ];
  const [month, day] = calendar.fiscalYearEnd.split('-').map(Number) as [number, number];
  if (day > new Date(Date.UTC(2024, month, 0)).getUTCDate())
    problems.push({
      at: ['calendar', 'fiscalYearEnd'],
      message: `The fiscal year can't end on ${calendar.fiscalYearEnd}: there is no such day. A calendar year ends on 12-31.`,
    });
  if (/^P(0[YMWD])+$/.test(erasure.reviewEvery))
    problems.push({
      at: ['erasure', 'reviewEvery'],
      message:
        'A deferred erasure must be looked at again after some time: give a period longer than nothing, e.g. P6M.',
    });
  return problems;
};
