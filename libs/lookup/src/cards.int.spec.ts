import type { CompanyInput } from '#companies';
import { companyCard } from '#companies';
import type { CustomerInput } from '#customers';
import { customerCard, CustomerRegistered, RectifyCustomer, RegisterCustomer } from '#customers';
import { SubjectErased } from '#events';
import type { CustomerId } from '#kernel';
import { newId, subjectOwner } from '#kernel';
import type { Position } from '#ledger';
import type { Policy } from '#policy';
import { loadPolicy } from '#policy';
import type { ProjectionStates } from '#projections';
import { LedgerDouble, ReadSide } from '#testing';
import { RectifyCustomerHandler } from '../../customers/src/rectify-customer.js';
import { RegisterCustomerHandler } from '../../customers/src/register-customer.js';
import { Cards } from './cards.js';
import { Lookup } from './lookup.js';

const PATIENCE_MS = 10_000;
const company: CompanyInput = {
  name: 'Fjord Mekaniske AS',
  organisationNumber: '974 760 673',
  legalForm: 'AS',
  address: { street: 'Vikavegen 1', postalCode: '5627', city: 'Jondal' },
};
const kari: CustomerInput = {
  relationship: 'customer',
  name: 'Kari Nordmann',
  phone: '900 12 345',
  email: 'kari@example.no',
  company,
};

describe('an index of persons that begins with the cards', () => {
  let policy: Policy;
  let side: ReadSide;
  let lookup: Lookup | undefined;
  /** From where the log was followed, by those who followed it. */
  let followedAfter: (Position | undefined)[];
  let said: unknown[];

  beforeAll(async () => {
    policy = await loadPolicy('policy/jpi');
  });
  beforeEach(async () => {
    side = await ReadSide.start({ policy, projections: [customerCard, companyCard] });
  });
  afterEach(async () => {
    await lookup?.close();
    await side.stop();
  });

  const register = (input: Partial<CustomerInput>) => {
    const handler = new RegisterCustomerHandler(side.ledger, policy);
    const command = new RegisterCustomer({ ...kari, ...input } as CustomerInput);
    return side.as('integrator', 'avtale', () => handler.execute(command));
  };
  const start = async (states: Pick<ProjectionStates, 'checkpointOf'> = side.states) => {
    [followedAfter, said] = [[], []];
    const { ledger } = side;
    const subscribe = ledger.subscribe.bind(ledger);
    ledger.subscribe = (options) => {
      if (options.opens) followedAfter.push(options.after);
      return subscribe(options);
    };
    lookup = new Lookup({
      ...{ ledger, vault: ledger.vault, cards: new Cards(side.db, states as ProjectionStates, ledger) },
      interrupted: (error) => said.push(error),
    });
    lookup.start();
    await lookup.waitFor(await ledger.head(), PATIENCE_MS);
    return lookup;
  };

  it('finds who has a card by what it says now, goes on after the checkpoint, and finds who comes later', async () => {
    const { customerId: id, revision } = await register({});
    const rectify = new RectifyCustomerHandler(side.ledger, policy);
    const married = new RectifyCustomer(id, { name: 'Kari Vik' }, revision);
    await side.as('integrator', 'avtale', () => rectify.execute(married));
    await side.caughtUp();
    const checkpoint = await side.states.checkpointOf(customerCard, side.ledger);
    const found = await start();
    // The cards for persons; the keys of sources come from all that there is.
    expect(followedAfter).toEqual([checkpoint, undefined]);
    expect(found.find('name', 'kari vik')).toEqual([id]);
    expect(found.find('name', 'nordmann')).toEqual([]);
    expect(found.find('email', 'kari@example.no')).toEqual([id]);
    const [employer] = found.find('organisationNumber', '974760673');
    expect(found.find('companyId', employer!)).toEqual([id]);
    const { customerId: ola } = await register({ name: 'Ola Nordmann', email: 'ola@example.no' });
    await found.waitFor(await side.ledger.head(), PATIENCE_MS);
    expect(found.find('name', 'nordmann')).toEqual([ola]);
  });

  it('finds what stands in the log after a checkpoint that is far behind, and nobody who is forgotten', async () => {
    const { customerId: one } = await register({});
    const { customerId: other } = await register({ name: 'Ola Nordmann' });
    await side.caughtUp();
    const before = await side.states.checkpointOf(customerCard, side.ledger);
    const { customerId: late } = await register({ name: 'Liv Nordmann' });
    const forgotten = { ownerId: one, ownerKind: 'subject', categories: { contact: 1 }, retained: [] } as const;
    await side.forget(subjectOwner(one), SubjectErased.of(forgotten), { category: 'contact' });
    // The companies' are the older ones.
    const { states, ledger } = side;
    const checkpointOf: ProjectionStates['checkpointOf'] = async (cards) =>
      cards === companyCard ? before : states.checkpointOf(cards, ledger);
    const found = await start({ checkpointOf });
    expect(followedAfter[0]).toBe(before);
    expect(new Set(found.find('name', 'nordmann'))).toEqual(new Set([other, late]));
  });

  it('takes all of them, page after page', async () => {
    const ids: CustomerId[] = [];
    for (let n = 0; n < 1_203; n++) {
      const customerId = newId<CustomerId>();
      const card = { name: `Kari nr${n}`, phone: null, email: null, companyId: null, address: null };
      const draft = CustomerRegistered.of(
        { customerId, relationship: 'customer', sector: 'private', region: null, ...card, sourceKey: null },
        { partitions: { contact: newId() } },
      );
      await side.as('system', 'avtale', () =>
        side.ledger.append({ stream: `customer-${customerId}`, expected: 'no-stream', drafts: [draft] }),
      );
      ids.push(customerId);
    }
    await side.caughtUp();
    const found = await start();
    expect(followedAfter[0]).toBe(await side.ledger.head());
    expect(new Set(found.find('name', 'kari'))).toEqual(new Set(ids));
    for (const n of [0, 499, 500, 501, 1_202]) expect(found.find('name', `nr${n}`)).toContain(ids[n]);
  });

  it('reads the log where the cards are not to be had', async () => {
    const { customerId: id } = await register({});
    await side.caughtUp();
    const found = await start({ checkpointOf: async () => undefined });
    expect(followedAfter).toEqual([undefined, undefined]);
    expect(found.find('name', 'kari')).toEqual([id]);
  });

  it('reads the log where a card can’t be read, and says so', async () => {
    const { customerId } = await register({});
    await side.caughtUp();
    const moved = JSON.stringify({ eventId: newId() });
    await side.pool.query(`update customer_card.customer_card set envelope = envelope || $1::jsonb`, [moved]);
    const found = await start();
    expect(followedAfter).toEqual([undefined, undefined]);
    expect(found.find('name', 'kari')).toEqual([customerId]);
    expect(said).toEqual([expect.objectContaining({ code: 'block-tampered' })]);
  });

  it('takes no cards that were made from another log', async () => {
    await register({});
    await side.caughtUp();
    expect(await side.states.checkpointOf(customerCard, side.ledger)).toBe(await side.ledger.head());
    expect(await side.states.checkpointOf(customerCard, new LedgerDouble())).toBeUndefined();
  });
});
