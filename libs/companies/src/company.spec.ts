import type { CompanyId } from '#kernel';
import { companyOwner, newId } from '#kernel';
import { stateAfter } from '#testing';
import {
  company,
  companyStream,
  countsAsPerson,
  openCompanyCard,
  rectifyCompany,
  registerCompany,
  requireCompany,
} from './company.js';
import type { CompanyCard } from './company.events.js';
import { CompanyRectified } from './company.events.js';

const id = newId<CompanyId>();
const card: CompanyCard = {
  name: 'Fjord Mekaniske AS',
  organisationNumber: '974760673',
  country: 'NO',
  legalForm: 'AS',
  address: { street: 'Vikavegen 1', postalCode: '5627', city: 'Jondal' },
  invoiceEmail: null,
};
const registered = registerCompany({ status: 'unknown' }, id, card, null, 'r0');
const known = () => stateAfter(company, companyStream(id), registered);

describe('company', () => {
  it('reads back what was registered', async () => {
    expect(openCompanyCard(requireCompany(await known()))).toEqual(card);
  });

  it('is registered once, however often the command is repeated', async () => {
    expect(registerCompany(await known(), id, card, null, 'r0')).toEqual([]);
  });

  it('is rectified with the whole new card, under keys of its own', async () => {
    const change = { changes: { name: 'Fjord AS' }, expected: 0n, revisionId: 'r1' };
    expect(rectifyCompany(await known(), change)).toEqual([
      CompanyRectified.of(
        { companyId: id, ...card, name: 'Fjord AS' },
        { partitions: { contact: 'r1', 'invoice-contact': 'r1' } },
      ),
    ]);
  });

  it('says nothing when nothing changes', async () => {
    const change = { changes: { address: { ...card.address! } }, expected: 0n, revisionId: 'r1' };
    expect(rectifyCompany(await known(), change)).toEqual([]);
  });

  it('refuses a change made for another revision', async () => {
    const change = { changes: { name: 'x' }, expected: 7n, revisionId: 'r1' };
    const state = await known();
    expect(() => rectifyCompany(state, change)).toThrow(expect.objectContaining({ code: 'precondition-failed' }));
  });

  it('keeps its card when the invoice e-mail alone is forgotten', async () => {
    const drafts = registerCompany(
      { status: 'unknown' },
      id,
      { ...card, invoiceEmail: 'regnskap@example.no' },
      null,
      'r0',
    );
    const state = await stateAfter(company, companyStream(id), drafts, {
      owner: companyOwner(id),
      category: 'invoice-contact',
    });
    expect(openCompanyCard(requireCompany(state))).toEqual({ ...card, invoiceEmail: null });
  });

  it('is closed once its card is forgotten', async () => {
    const state = await stateAfter(company, companyStream(id), registered, {
      owner: companyOwner(id),
      category: 'contact',
    });
    expect(() => requireCompany(state)).toThrow(expect.objectContaining({ code: 'subject-closed' }));
  });

  it.each([
    [null, true],
    ['ENK', true],
    [' enk ', true],
    ['AS', false],
    ['', true],
  ])('of form %p counts as a person: %p', (form, expected) => expect(countsAsPerson(form)).toBe(expected));
});
