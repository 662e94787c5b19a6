import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Policy } from './policy.js';
import { loadPolicy } from './load-policy.js';

/** The statement's bullets, list by list, letter for letter. */
const bulletLists = (statement: string): string[][] => {
  const lists: string[][] = [];
  let open: string[] | undefined;
  for (const line of statement.split('\n')) {
    const bullet = /^ • (.+)$/.exec(line)?.[1]?.trim();
    if (bullet === undefined) open = undefined;
    else if (open) open.push(bullet);
    else lists.push((open = [bullet]));
  }
  return lists;
};

describe('the manifest of JPI and the published statement', () => {
  let statement: string;
  let policy: Policy;
  beforeAll(async () => {
    statement = await readFile('policy/jpi/statement.nb.txt', 'utf8');
    policy = await loadPolicy('policy/jpi');
  });

  it('S1: the text is the published one, typing errors included', async () => {
    const bytes = await readFile('policy/jpi/statement.nb.txt');
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(
      'a8b97e6bc3e2a278392d8977757e748fc73a6a504a3c76d967e04c886f922440',
    );
    expect(statement).toContain('var hjemmeside');
    expect(statement).toContain('pro dukter');
  });

  it('has the three lists that the manifest is compared with', () =>
    expect(bulletLists(statement).map((list) => list.length)).toEqual([4, 9, 2]));

  it('S2, S4: names the controller as the statement does', () => {
    expect(statement).toContain(`${policy.controller.name} (${policy.controller.shortName})`);
    expect(statement.toLowerCase()).toContain(policy.controller.contact.nb.toLowerCase());
  });

  it('S3, S6: the purposes from the statement are its purposes, and no others', () => {
    const listed = policy.purposes
      .filter(({ id }) => id !== 'kundehjelp')
      .filter(({ source }) => source === 'statement');
    expect(listed.map((purpose) => purpose.statement)).toEqual(bulletLists(statement)[0]);
    expect(listed.map(({ id }) => id)).toEqual(['avtale', 'tilgang', 'informasjon', 'tilbud']);
  });

  it('S15: helping customers after a purchase stands in the running text', () => {
    expect(statement.replaceAll('\n', ' ')).toContain(policy.purpose('kundehjelp')?.statement);
    expect(policy.purpose('kundehjelp')?.basis).toBe('art6-1-f');
  });

  it('S3, S10: the fields of customers and companies are the statement’s, and no others but technical ones', () => {
    const fields = [...policy.manifest.records.customer, ...policy.manifest.records.company];
    const named = fields.flatMap((field) => field.statement ?? []);
    expect([...named].sort()).toEqual([...bulletLists(statement)[1]!].sort());
    const technical = fields.filter((field) => field.technical !== undefined).map(({ field }) => field);
    expect(technical).toEqual(['sourceKey', 'country', 'legalForm', 'sourceKey']);
  });

  it('S11: all of them but the invoice e-mail are a condition of a customer relationship', () => {
    const named = policy.fieldsFor('customer').filter((field) => field.statement !== undefined);
    expect(named.filter((field) => !field.requiredFor.includes('customer')).map(({ field }) => field)).toEqual([
      'company.invoiceEmail',
    ]);
    expect(policy.relationships.customer).toEqual({ company: 'required', address: 'forbidden' });
  });

  it('S12: they rest on the agreement, and none on consent', () => {
    const named = policy.fieldsFor('customer').filter((field) => field.statement !== undefined);
    expect(new Set(named.map(({ basis }) => basis))).toEqual(new Set(['art6-1-b']));
  });

  it('S7: nothing but what people volunteered may feed a profile', () => {
    const profile = Object.values(policy.manifest.records)
      .flat()
      .filter(({ category }) => category === 'profile');
    expect(profile.every(({ provenance }) => provenance === 'volunteered')).toBe(true);
  });

  it('S13, S14: what is kept of purchases and service is the statement’s list, on legitimate interests', () => {
    const kept = Object.values(policy.manifest.categories).filter((category) => category.statement !== undefined);
    expect(kept.map((category) => category.statement)).toEqual(bulletLists(statement)[2]);
    expect(new Set(kept.map(({ basis }) => basis))).toEqual(new Set(['art6-1-f']));
  });

  it('S16: what the Bookkeeping Act keeps is a layer of its own, on another basis and for one purpose', () => {
    expect(policy.category('billing')).toMatchObject({ purposes: ['bokforing'], basis: 'art6-1-c' });
    expect(policy.purpose('bokforing')).toMatchObject({ source: 'law', law: 'Bokføringsloven § 13' });
    for (const { id } of policy.purposes.filter(({ id }) => id !== 'bokforing'))
      expect(policy.mayRead(id, ['integrator', 'service-desk', 'compliance', 'approver', 'auditor'], 'billing')).toBe(
        false,
      );
  });

  it('S21: there is no purpose of selling or handing on', () =>
    expect(policy.purposes.map(({ id }) => id).filter((id) => /salg|selg|sale|sell|utlever/.test(id))).toEqual([]));

  it('S33, S34: names the supervisory authority that the statement names', () => {
    expect(statement).toContain(policy.manifest.supervisoryAuthority.name);
    expect(statement).toContain(policy.manifest.supervisoryAuthority.website);
  });
});
