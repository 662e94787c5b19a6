import { SubjectErased, event, subject } from '#events';
import type { CustomerId } from '#kernel';
import { newId, subjectOwner } from '#kernel';
import { stateAfter } from '#testing';
import type { CustomerCard } from './customer.events.js';
import { ActivityNoted, CustomerRectified, RelationshipChanged } from './customer.events.js';
import {
  changeRelationship,
  customer,
  customerStream,
  noteActivity,
  openCustomerCard,
  rectifyCustomer,
  registerCustomer,
  requireCustomer,
} from './customer.js';

const id = newId<CustomerId>();
const stream = customerStream(id);
const card: CustomerCard = {
  name: 'Kari Nordmann',
  phone: '+4790012345',
  email: 'kari@example.no',
  companyId: null,
  address: null,
};
const segment = { sector: 'private', region: '56' } as const;
const registration = { id, relationship: 'lead', card, segment, sourceKey: null, revisionId: 'r0' } as const;
const registered = registerCustomer({ status: 'unknown' }, registration);
const lead = () => stateAfter(customer, stream, registered);
const noted = (day: string, kind: 'purchase' | 'service', recordId: string) =>
  ActivityNoted.of({ customerId: id, day, kind, recordId });
const code = (expected: string) => expect.objectContaining({ code: expected });

describe('customer', () => {
  it('reads back what was registered', async () => {
    expect(openCustomerCard(requireCustomer(await lead()))).toEqual(card);
  });

  it('is registered once, however often the command is repeated', async () => {
    expect(registerCustomer(await lead(), registration)).toEqual([]);
  });

  it('is rectified with the whole new card, under a key of its own, so that what it replaced can be forgotten alone', async () => {
    const change = { changes: { email: 'k@example.no' }, expected: 0n, revisionId: 'r1' };
    expect(rectifyCustomer(await lead(), change)).toEqual([
      CustomerRectified.of({ customerId: id, ...card, email: 'k@example.no' }, { partitions: { contact: 'r1' } }),
    ]);
  });

  it('refuses a change made for another revision', async () => {
    const state = await lead();
    const change = { changes: { name: 'x' }, expected: 1n, revisionId: 'r1' };
    expect(() => rectifyCustomer(state, change)).toThrow(code('precondition-failed'));
  });

  it('an activity leaves the revision of the card alone, so that a change in hand still fits', async () => {
    const state = await stateAfter(customer, stream, [...registered, noted('2026-03-01', 'purchase', 'p1')]);
    const change = { changes: { name: 'Kari N.' }, expected: 0n, revisionId: 'r1' };
    expect(rectifyCustomer(state, change)).toHaveLength(1);
  });

  it('goes from lead to customer to ended and back, and names what is legal otherwise', async () => {
    const state = await lead();
    expect(changeRelationship(state, 'customer', segment)).toEqual([
      RelationshipChanged.of({ customerId: id, relationship: 'customer', ...segment }),
    ]);
    expect(() => changeRelationship(state, 'lead', segment)).toThrow(
      expect.objectContaining({ code: 'illegal-transition', facts: { from: 'lead', allowed: ['customer', 'ended'] } }),
    );
  });

  it('notes an activity on a later day, and the first purchase whatever its day', async () => {
    const bought = await stateAfter(customer, stream, [...registered, noted('2026-03-10', 'service', 's1')]);
    expect(noteActivity(bought, { day: '2026-03-10', kind: 'service', recordId: 's2' })).toEqual([]);
    expect(noteActivity(bought, { day: '2026-03-11', kind: 'service', recordId: 's2' })).toHaveLength(1);
    expect(noteActivity(bought, { day: '2020-01-01', kind: 'purchase', recordId: 'p1' })).toHaveLength(1);
  });

  it('knows its first purchase by id, so that a repeated command comes to the same answer', async () => {
    const drafts = [...registered, noted('2026-03-10', 'purchase', 'p1'), noted('2026-03-11', 'purchase', 'p2')];
    const state = requireCustomer(await stateAfter(customer, stream, drafts));
    expect(state.activity).toEqual({ lastDay: '2026-03-11', firstPurchaseId: 'p1' });
  });

  it('is closed to everything once erased, also before its keys are asked for', async () => {
    const erased = SubjectErased.of({ ownerId: id, ownerKind: 'subject', categories: { contact: 1 }, retained: [] });
    const state = await stateAfter(customer, stream, [...registered, erased]);
    expect(() => noteActivity(state, { day: '2026-01-01', kind: 'purchase', recordId: 'p' })).toThrow(
      code('subject-closed'),
    );
    expect(() => changeRelationship(state, 'customer', segment)).toThrow(code('subject-closed'));
    expect(registerCustomer(state, registration)).toEqual([]);
  });

  it('keeps its card when a revision that it replaced is forgotten', async () => {
    const rectified = rectifyCustomer(await lead(), { changes: { phone: null }, expected: 0n, revisionId: 'r1' });
    const forgotten = { owner: subjectOwner(id), category: 'contact', partition: 'r0' } as const;
    const state = requireCustomer(await stateAfter(customer, stream, [...registered, ...rectified], forgotten));
    expect(openCustomerCard(state)).toEqual({ ...card, phone: null });
  });

  it('is closed while an erasure destroys, and open again when that was stopped', async () => {
    const erasure = (type: string) => event(type, 1, { customerId: subject<CustomerId>() }).of({ customerId: id });
    const fenced = await stateAfter(customer, stream, [...registered, erasure('erasure.fenced')]);
    expect(() => requireCustomer(fenced)).toThrow(expect.objectContaining({ code: 'subject-closed' }));
    const drafts = [...registered, erasure('erasure.fenced'), erasure('erasure.stopped')];
    expect(requireCustomer(await stateAfter(customer, stream, drafts))).toMatchObject({ status: 'known' });
  });

  it('is closed when its card has expired', async () => {
    const state = await stateAfter(customer, stream, registered, { owner: subjectOwner(id), category: 'contact' });
    expect(() => rectifyCustomer(state, { changes: {}, expected: 0n, revisionId: 'r' })).toThrow(
      code('subject-closed'),
    );
  });

  it('that nobody registered is not found', () => {
    expect(() => requireCustomer(customer.initial)).toThrow(code('not-found'));
  });
});
