import type { CompanyInput } from '#companies';
import { companyCard } from '#companies';
import { SubjectErased } from '#events';
import type { CompanyId } from '#kernel';
import { ReservedIds, companyOwner, newId, subjectOwner, valueOf } from '#kernel';
import type { Policy } from '#policy';
import { loadPolicy } from '#policy';
import { ReadSide } from '#testing';
import { ChangeRelationship, ChangeRelationshipHandler } from './change-relationship.js';
import { customerCard } from './customer-card.projection.js';
import { GetCustomerCard, GetCustomerCardHandler } from './customer-card.query.js';
import { RectifyCustomer, RectifyCustomerHandler } from './rectify-customer.js';
import type { CustomerInput } from './customer-input.js';
import { RegisterCustomer, RegisterCustomerHandler } from './register-customer.js';

const company: CompanyInput = {
  name: 'Fjord Mekaniske AS',
  organisationNumber: '974 760 673',
  legalForm: 'AS',
  address: { street: 'Vikavegen 1', postalCode: '5627', city: 'Jondal' },
};
const kari: CustomerInput = {
  relationship: 'customer',
  name: ' Kari Nordmann ',
  phone: '900 12 345',
  email: 'kari@example.no',
  company,
};

describe('customers, by the policy of JPI', () => {
  let policy: Policy;
  let side: ReadSide;
  const register = (input: CustomerInput, ids?: ReservedIds) =>
    side.as(
      'integrator',
      'avtale',
      () => new RegisterCustomerHandler(side.ledger, policy).execute(new RegisterCustomer(input)),
      ids,
    );
  const rectify = (...command: ConstructorParameters<typeof RectifyCustomer>) =>
    side.as('integrator', 'avtale', () =>
      new RectifyCustomerHandler(side.ledger, policy).execute(new RectifyCustomer(...command)),
    );
  const change = (...command: ConstructorParameters<typeof ChangeRelationship>) =>
    side.as('integrator', 'avtale', () =>
      new ChangeRelationshipHandler(side.ledger, policy).execute(new ChangeRelationship(...command)),
    );
  const card = async (...[id]: ConstructorParameters<typeof GetCustomerCard>) => {
    await side.caughtUp();
    return side.as('service-desk', 'kundehjelp', () =>
      new GetCustomerCardHandler(side.db, side.disclosure).execute(new GetCustomerCard(id)),
    );
  };

  beforeAll(async () => {
    policy = await loadPolicy('policy/jpi');
  });
  beforeEach(async () => {
    side = await ReadSide.start({ policy, projections: [customerCard, companyCard] });
  });
  afterEach(() => side.stop());

  it('registers a person with their company, and gives the card back', async () => {
    const { customerId, companyId, revision } = await register(kari);
    const { card: read, revision: etag } = await card(customerId);
    expect(etag).toBe(revision);
    expect(read.relationship).toBe('customer');
    expect(
      [read.name, read.phone, read.email, read.companyId, read.address].map((field) => valueOf<unknown>(field)),
    ).toEqual(['Kari Nordmann', '+4790012345', 'kari@example.no', companyId, null]);
  });

  it('names all problems at once, by path, without a value, and writes nothing', async () => {
    const bad: CustomerInput = {
      ...kari,
      phone: '12345678',
      email: 'kari',
      address: { street: 'Heime 1', city: 'Odda' },
      company: { ...company, organisationNumber: '974760674' },
    };
    const refusal: any = await register(bad).catch((error: unknown) => error);
    expect(refusal.code).toBe('invalid-input');
    expect(refusal.errors.map(({ path }: { path: string }) => path).sort()).toEqual([
      'address',
      'company.organisationNumber',
      'email',
      'phone',
    ]);
    expect(JSON.stringify(refusal.errors)).not.toMatch(/Heime|12345678|974760674/);
    expect(await side.ledger.head()).toBe(0n);
  });

  it('asks a customer for a company and a lead for none', async () => {
    await expect(register({ ...kari, company: null })).rejects.toMatchObject({ errors: [{ path: 'company' }] });
    await expect(register({ relationship: 'lead', name: 'Ola', phone: null, email: null })).resolves.toBeDefined();
  });

  it('refuses a company that nobody registered, and one that was forgotten', async () => {
    const companyId = newId<CompanyId>();
    await expect(register({ ...kari, company: null, companyId })).rejects.toMatchObject({
      errors: [{ path: 'companyId' }],
    });
    const first = await register(kari);
    side.ledger.shred(companyOwner(first.companyId!));
    await expect(register({ ...kari, company: null, companyId: first.companyId! })).rejects.toMatchObject({
      code: 'subject-closed',
    });
  });

  it('repeated under the same reserved ids, writes nothing twice and gives the same ids', async () => {
    const seed = new Uint8Array(32).fill(7);
    const first = await register(kari, new ReservedIds(seed, 1_700_000_000_000));
    const head = await side.ledger.head();
    const again = await register(kari, new ReservedIds(seed, 1_700_000_000_000));
    expect([again.customerId, again.companyId]).toEqual([first.customerId, first.companyId]);
    expect(await side.ledger.head()).toBe(head);
  });

  it('rectifies with the revision that was read, and refuses a stale one', async () => {
    const { customerId } = await register(kari);
    const { revision } = await rectify(customerId, { email: 'kari.nordmann@example.no' }, 0n);
    const { card: read, revision: etag } = await card(customerId);
    expect([valueOf(read.email), valueOf(read.phone), etag]).toEqual([
      'kari.nordmann@example.no',
      '+4790012345',
      revision,
    ]);
    await expect(rectify(customerId, { name: 'K.' }, 0n)).rejects.toMatchObject({ code: 'precondition-failed' });
    await expect(rectify(customerId, { phone: null }, revision)).rejects.toMatchObject({
      errors: [{ path: 'phone', code: 'required' }],
    });
  });

  it('keeps a rectified value sealed under its own key, apart from the card', async () => {
    const { customerId } = await register(kari);
    const [registered] = await side.ledger.read(`customer-${customerId}`);
    const replaced = registered!.scopes.find(({ category }) => category === 'contact')!.partition!;
    await rectify(customerId, { email: 'ny@example.no' }, 0n);
    expect(side.ledger.shred(subjectOwner(customerId), 'contact', replaced)).toBe(1);
    expect(valueOf((await card(customerId)).card.email)).toBe('ny@example.no');
  });

  it('lets a lead become a customer only with all that the policy requires', async () => {
    const { customerId } = await register({ relationship: 'lead', name: 'Ola', phone: null, email: 'ola@example.no' });
    await expect(change(customerId, 'customer')).rejects.toMatchObject({
      errors: expect.arrayContaining([
        expect.objectContaining({ path: 'phone' }),
        expect.objectContaining({ path: 'company' }),
      ]),
    });
    const { companyId } = await register(kari);
    const { revision } = await rectify(customerId, { phone: '53668600', companyId: companyId! }, 0n);
    expect((await change(customerId, 'customer')).revision).toBe(revision + 1n);
    expect((await card(customerId)).card.relationship).toBe('customer');
  });

  it('shows a forgotten person as erased in every field, also in a rebuild', async () => {
    const { customerId, companyId } = await register(kari);
    const owner = subjectOwner(customerId);
    const erased = SubjectErased.of({
      ownerId: customerId,
      ownerKind: 'subject',
      categories: { contact: 1 },
      retained: [],
    });
    await side.forget(owner, erased, { category: 'contact' });
    const { card: read } = await card(customerId);
    for (const field of ['name', 'phone', 'email', 'companyId'] as const) expect(read[field].state).toBe('erased');
    expect(await side.rebuilt('customer_card.customer_card', 'company_card.company_card')).toEqual(
      await side.rows('customer_card.customer_card', 'company_card.company_card'),
    );
    expect(companyId).toBeDefined();
  });

  it('throws and shows nothing when the vault is away: an outage is not an erasure', async () => {
    const { customerId } = await register(kari);
    await side.caughtUp();
    side.ledger.fault = 'vault-unavailable';
    await expect(card(customerId)).rejects.toMatchObject({ code: 'vault-unavailable' });
    side.ledger.fault = undefined;
  });

  it('withholds what the purpose does not allow', async () => {
    const { customerId } = await register(kari);
    await side.caughtUp();
    const { card: read } = await side.as('auditor', 'bokforing', () =>
      new GetCustomerCardHandler(side.db, side.disclosure).execute(new GetCustomerCard(customerId)),
    );
    expect(read.name).toEqual({ state: 'withheld', reason: 'not-allowed' });
  });
});
