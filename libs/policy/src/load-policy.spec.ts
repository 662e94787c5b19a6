import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CATEGORIES } from '#events';
import { loadPolicy, parsePolicy, PolicyError } from './load-policy.js';

let jpi: string;
beforeAll(async () => void (jpi = await readFile('policy/jpi/manifest.yaml', 'utf8')));

/** The problems of JPI's manifest after a change; each change must hit something. */
const problemsAfter = (...changes: [string | RegExp, string][]): readonly string[] => {
  let text = jpi;
  for (const [from, to] of changes) {
    expect(text).toMatch(from);
    text = text.replace(from, to);
  }
  try {
    parsePolicy(Buffer.from(text));
    return [];
  } catch (error) {
    if (error instanceof PolicyError) return error.problems;
    throw error;
  }
};
/** The line on which a text stands first, for comparing with what a message says. */
const lineOf = (text: string) => jpi.slice(0, jpi.indexOf(text)).split('\n').length;

describe('the policies that ship', () => {
  it.each(['policy/jpi', 'policy/webshop'])('%s loads, and can’t be changed afterwards', async (directory) => {
    const policy = await loadPolicy(directory);
    expect(policy.version).toMatch(/^\d+\.\d+\.\d+\+[0-9a-f]{12}$/);
    expect(() => {
      (policy.manifest.erasure as { fourEyes: boolean }).fourEyes = false;
    }).toThrow(TypeError);
    expect(() => (policy.manifest.retention as unknown[]).pop()).toThrow('Cannot delete property');
    expect(Object.keys(policy.manifest.categories).sort()).toEqual(Object.keys(CATEGORIES).sort());
    expect(policy.vouchers.held).toBe('here');
  });
  it('have different versions as soon as a letter differs', () => {
    const other = jpi.replace('Daglig leder', 'Daglig  leder');
    expect(parsePolicy(Buffer.from(jpi)).version).not.toBe(parsePolicy(Buffer.from(other)).version);
  });
  it('know every category that the code knows, and no other', async () => {
    const schema = JSON.parse(await readFile('libs/policy/src/manifest.schema.json', 'utf8'));
    expect(schema.definitions.category.enum).toEqual(Object.keys(CATEGORIES));
  });
});

describe('a policy that does not load', () => {
  let home: string;
  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'policy-'));
    await cp('policy/jpi', home, { recursive: true });
  });
  afterEach(() => rm(home, { recursive: true, force: true }));

  it('because there is none', async () =>
    expect(loadPolicy(join(home, 'nowhere'))).rejects.toThrow(/There is no such file.*POLICY names the directory/));
  it('because the published statement was edited', async () => {
    await rm(join(home, 'statement.nb.txt'), { force: true });
    await expect(loadPolicy(home)).rejects.toThrow(/statement\.nb\.txt is missing/);
    await writeFile(
      join(home, 'statement.nb.txt'),
      (await readFile('policy/jpi/statement.nb.txt', 'utf8')).replace('var hjemmeside', 'vår hjemmeside'),
    );
    await expect(loadPolicy(home)).rejects.toThrow(
      /is not the text that the manifest names.*A published statement is never edited/,
    );
  });
  it('because it is no YAML, with the line', () => {
    expect(problemsAfter([/^language: nb$/m, 'language: nb\nlanguage: en'])[0]).toMatch(
      /^line \d+: this is not valid YAML: Map keys must be unique/,
    );
    expect(problemsAfter([/^language: nb$/m, 'language: {'])[0]).toMatch(/^line \d+: this is not valid YAML/);
    expect(() => parsePolicy(Buffer.from(''))).toThrow('The manifest must be a group of named entries');
  });
});

describe('what a jurist reads', () => {
  const law = /law: Foreldelsesloven §§ 2, 3\n    why: claims out of the agreement/;

  it('a rule without a maximum', () => {
    const [problem, ...more] = problemsAfter([/    maximum: P3M\n/, '']);
    expect(more).toEqual([]);
    expect(problem).toBe(
      `line ${lineOf('id: rectified-values')}: Retention rule "rectified-values" has no maximum. Nothing about a person may be kept ` +
        'without an end (GDPR art. 5(1)(e)): give the longest period, e.g. maximum: P5Y.',
    );
  });
  it('a period that is none', () =>
    expect(problemsAfter([/maximum: P3M/, 'maximum: 3 months'])).toEqual([
      `line ${lineOf('maximum: P3M')}: Retention rule "rectified-values", maximum must be a period as in P5Y (five years), P24M, P3Y6M or P30D.`,
    ]));
  it('a trigger that is finer than the key', () =>
    expect(problemsAfter([/trigger: profile-consent/, 'trigger: consent-withdrawn'])).toEqual([
      `line ${lineOf('id: profiles')}: Retention rule "profiles" counts from "consent-withdrawn", which comes once for each consent ` +
        `record, but category "profile" has one key per person, and one key can't carry two dates. ` +
        'Count from one of: last-contact, last-activity, contract-end, profile-consent.',
    ]));
  it('a trigger of another category, also as a stand-in', () => {
    expect(problemsAfter([/trigger: month-end/, 'trigger: taking-over'])).toEqual([
      expect.stringContaining(
        'counts from "taking-over", which belongs to category purchase and says nothing about "trace"',
      ),
    ]);
    expect(problemsAfter([/otherwise: \{ trigger: case-activity/, 'otherwise: { trigger: request-opened'])).toEqual([
      expect.stringContaining('counts from "request-opened"'),
    ]);
    expect(problemsAfter([/trigger: month-end/, 'trigger: new-moon'])).toEqual([
      expect.stringContaining('counts from "new-moon", which is no trigger. Choose one of: last-contact,'),
    ]);
  });
  it('a minimum that no law asks for, and a maximum that is shorter', () => {
    expect(problemsAfter([/    maximum: P3M\n/, '    maximum: P3M\n    minimum: P1M\n'])).toEqual([
      expect.stringContaining(
        'has a minimum of P1M and names no law. Only a law can make us keep what a person wants erased (GDPR art. 17(3)(b))',
      ),
    ]);
    expect(problemsAfter([/minimum: P5Y\n    maximum: P5Y/, 'minimum: P5Y\n    maximum: P59M'])).toEqual([
      expect.stringContaining('must keep for P5Y what it may keep for P59M at most'),
    ]);
    expect(problemsAfter([/atMost: P10Y/, 'atMost: P1Y'])).toEqual([
      expect.stringContaining('may be extended to P1Y, which is shorter'),
    ]);
  });
  it('a number that neither a law nor the controller stands for', () =>
    expect(problemsAfter([law, 'why: claims out of the agreement'])).toEqual([
      expect.stringContaining(
        'Retention rule "customers" has a maximum that no law gives. Say controllersChoice: true',
      ),
    ]));
  it('a category without an end, or without one in some case', () => {
    expect(problemsAfter([/  - id: traces[\s\S]*?(?=\n#)/, ''])).toEqual([
      `line ${lineOf('  trace:\n') + 1}: Category "trace" has no retention rule, so nothing says when it ends (GDPR art. 5(1)(e)). Add a rule with a maximum.`,
    ]);
    expect(problemsAfter([/relationship: \[customer, ended\]/, 'relationship: [customer]'])).toEqual([
      expect.stringContaining(
        'Category "contact" has no retention rule for relationship "ended", buyer "consumer", owner "subject". Add a rule, or widen the "when" of one of: leads, customers.',
      ),
    ]);
  });
  it('a purpose that the closed list does not have', () =>
    expect(
      problemsAfter(
        [/&kontakt \[avtale/, '&kontakt [salg'],
        [/purpose: tilbud\n    basis: art6-1-f/, 'purpose: salg\n    basis: art6-1-f'],
      ),
    ).toEqual(
      expect.arrayContaining([
        expect.stringContaining(
          'Field "name" of customer serves the purpose "salg", which is not in the list of purposes',
        ),
        expect.stringContaining('Retention rule "leads" serves the purpose "salg"'),
      ]),
    ));
  it('a field that the statement does not name, or that rests on a consent that must be given', () => {
    expect(problemsAfter([/field: phone, statement: telefonnummer,/, 'field: phone,'])).toEqual([
      expect.stringContaining('Field "phone" of customer needs one of two: statement:'),
    ]);
    expect(problemsAfter([/(field: phone.*)basis: art6-1-b/, '$1basis: art6-1-a'])).toEqual([
      expect.stringContaining('A consent that one must give is none (GDPR art. 7(4))'),
    ]);
    expect(problemsAfter([/(field: phone.*)category: contact/, '$1category: profile'])).toEqual([
      expect.stringContaining('Field "phone" of customer feeds a profile'),
    ]);
    expect(problemsAfter([/field: phone,/, 'field: name,'])).toEqual([
      expect.stringContaining('The field of customer "name" stands here a second time'),
    ]);
    expect(problemsAfter([/field: phone,/, 'field: address.street,'])).toEqual([
      expect.stringContaining('belongs to an address, which neither a lead nor a customer may have here'),
    ]);
  });
  it('people’s data for analysts', () =>
    expect(
      problemsAfter([
        /roles: \[integrator, service-desk\]\n        read: \[contact, relation, purchase\]/,
        'roles: [analyst]\n        read: [contact, relation, purchase]',
      ]),
    ).toEqual([
      expect.stringContaining(
        'Purpose "tilgang" gives personal data to the role "analyst". Analysts get figures, not people',
      ),
    ]));
  it('vouchers that are held elsewhere, and kept all the same', () =>
    expect(problemsAfter([/held: here/, 'held: elsewhere'])).toEqual([
      expect.stringContaining('nothing may be kept for bookkeeping here'),
    ]));
  it('a category that the product can’t do without', () =>
    expect(problemsAfter([/  superseded:\n(    .*\n)+/, ''], [/  - id: rectified-values\n(    .*\n)+/, ''])).toEqual(
      expect.arrayContaining([
        expect.stringContaining('Category "superseded" is missing: a rectified value is kept under it'),
      ]),
    ));
  it('days and names that can’t be', () => {
    const problems = problemsAfter(
      [/fiscalYearEnd: 12-31/, 'fiscalYearEnd: 02-30'],
      [/reviewEvery: P6M/, 'reviewEvery: P0D'],
      [/id: rectification,/, 'id: access,'],
    );
    expect(problems.toSorted()).toEqual([
      expect.stringContaining("The fiscal year can't end on 02-30"),
      expect.stringContaining('A deferred erasure must be looked at again'),
      expect.stringContaining('The right "access" stands here a second time'),
    ]);
  });
  it('a misspelt word and a missing part, all at once', () =>
    expect(
      problemsAfter(
        [/fourEyes: true/, 'foreyes: true'],
        [/^language: nb$/m, 'language: no'],
        [/percent: 2/, 'percent: two'],
        [/(field: email,.*)basis: art6-1-b/, '$1basis: contract'],
        [/roles: \[integrator, service-desk\]/, 'roles: [everybody]'],
      ),
    ).toEqual(
      expect.arrayContaining([
        expect.stringContaining('Erasure lacks "fourEyes". Add it.'),
        expect.stringContaining('Erasure has "foreyes", which means nothing here. Check the spelling, or take it out.'),
        expect.stringContaining('Language must be one of: nb, nn, en.'),
        expect.stringContaining('Sweep, percent must be a number.'),
        expect.stringContaining('Field "email" of customer, basis must be one of: art6-1-a,'),
        expect.stringContaining('Purpose "tilgang", access, number 1, roles, number 1 must be one of: integrator,'),
      ]),
    ));
});
