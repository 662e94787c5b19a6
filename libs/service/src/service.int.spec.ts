import type { CustomerInput } from '#customers';
import { RegisterCustomer } from '#customers';
import { SubjectErased } from '#events';
import type { CustomerId, PurchaseId, ServiceCaseId } from '#kernel';
import { newId, subjectOwner, valueOf } from '#kernel';
import type { Policy } from '#policy';
import { loadPolicy } from '#policy';
import { RecordPurchase } from '#purchases';
import { ReadSide } from '#testing';
import { RegisterCustomerHandler } from '../../customers/src/register-customer.js';
import { RecordPurchaseHandler } from '../../purchases/src/record-purchase.js';
import { AddServiceNote, AddServiceNoteHandler } from './add-service-note.js';
import { AdvanceServiceCase, AdvanceServiceCaseHandler } from './advance-service-case.js';
import { OpenServiceCase, OpenServiceCaseHandler } from './open-service-case.js';
import type { CaseStatus } from './service-case.events.js';
import {
  GetServiceCase,
  GetServiceCaseHandler,
  ListServiceCases,
  ListServiceCasesHandler,
} from './service-cases.query.js';
import { serviceHistory } from './service-history.projection.js';
import type { ServiceCaseInput } from './service-input.js';
import { serviceStatus } from './service-status.projection.js';

const kari: CustomerInput = {
  relationship: 'customer',
  name: 'Kari Nordmann',
  email: 'kari@example.no',
  address: { street: 'Vikavegen 1', postalCode: '5627', city: 'Jondal' },
};
const TABLES = ['service_status.service_status', 'service_history.service_history'];

describe('service cases, by the policy of a web shop', () => {
  let policy: Policy;
  let side: ReadSide;
  const register = async () =>
    (
      await side.as('integrator', 'avtale', () =>
        new RegisterCustomerHandler(side.ledger, policy).execute(new RegisterCustomer(kari)),
      )
    ).customerId;
  const desk = <T>(work: () => Promise<T>) => side.as('service-desk', 'kundehjelp', work);
  const open = async (customerId: CustomerId, changes: Partial<ServiceCaseInput> = {}) => {
    const input: ServiceCaseInput = {
      customerId,
      kind: 'repair',
      item: { itemType: 'spindle', serialNumber: 'SN-1' },
      description: 'Går varm',
      ...changes,
    };
    const handler = new OpenServiceCaseHandler(side.ledger, policy, side.clock);
    return (await desk(() => handler.execute(new OpenServiceCase(input)))).serviceCaseId;
  };
  const advance = (id: ServiceCaseId, to: CaseStatus) =>
    desk(() => new AdvanceServiceCaseHandler(side.ledger, side.clock).execute(new AdvanceServiceCase(id, to)));
  const note = (id: ServiceCaseId, text: string) =>
    desk(() => new AddServiceNoteHandler(side.ledger).execute(new AddServiceNote(id, text)));
  const one = async (id: ServiceCaseId) => {
    await side.caughtUp();
    return desk(() => new GetServiceCaseHandler(side.db, side.disclosure).execute(new GetServiceCase(id)));
  };
  const list = async (filter: ListServiceCases['filter'], limit = 50, after?: string) => {
    await side.caughtUp();
    return desk(() =>
      new ListServiceCasesHandler(side.db, side.disclosure).execute(new ListServiceCases(filter, limit, after)),
    );
  };
  const forget = (ownerId: CustomerId) =>
    side.forget(
      subjectOwner(ownerId),
      SubjectErased.of({ ownerId, ownerKind: 'subject', categories: { contact: 1, service: 1 }, retained: [] }),
      { category: 'contact' },
      { category: 'service' },
    );

  beforeAll(async () => {
    policy = await loadPolicy('policy/webshop');
  });
  beforeEach(async () => {
    side = await ReadSide.start({
      policy,
      projections: [serviceStatus, serviceHistory],
      now: new Date('2026-03-12T12:00:00Z'),
    });
  });
  afterEach(() => side.stop());

  it('show the status now and the history as two things', async () => {
    const customerId = await register();
    const id = await open(customerId);
    await advance(id, 'inProgress');
    await note(id, 'Tinga del');
    const { status, history, about } = await one(id);
    expect(status).toMatchObject({ status: 'inProgress', kind: 'repair', itemType: 'spindle', openedOn: '2026-03-12' });
    expect(status.allowed).toContain('awaitingPart');
    expect([valueOf(status.description), valueOf(status.serialNumber), valueOf(status.customerId)]).toEqual([
      'Går varm',
      'SN-1',
      customerId,
    ]);
    expect(history.map(({ entry, status: reached, text }) => [entry, reached, valueOf(text)])).toEqual([
      ['status', 'opened', undefined],
      ['status', 'inProgress', undefined],
      ['note', undefined, 'Tinga del'],
    ]);
    expect(about).toEqual([subjectOwner(customerId)]);
  });

  it('are found by customer and by status, newest first, page by page', async () => {
    const [kariId, otherId] = [await register(), await register()];
    const [first, second] = [await open(kariId), await open(kariId)];
    const other = await open(otherId);
    await advance(second, 'closed');
    const ids = (page: Awaited<ReturnType<typeof list>>) => page.items.map(({ serviceCaseId }) => serviceCaseId);
    expect(ids(await list({ customerId: kariId }))).toEqual([second, first]);
    expect(ids(await list({ status: 'opened' }))).toEqual([other, first]);
    const page = await list({}, 2);
    expect(ids(page)).toEqual([other, second]);
    expect(ids(await list({}, 2, page.next))).toEqual([first]);
  });

  it('refuse a national id in a text, and name the field', async () => {
    const customerId = await register();
    await expect(open(customerId, { description: 'Eigar er 01010750160' })).rejects.toMatchObject({
      errors: [{ path: 'description', code: 'national-id-refused' }],
    });
    const id = await open(customerId);
    await expect(note(id, 'fnr 010107 50160')).rejects.toMatchObject({
      errors: [{ path: 'text', code: 'national-id-refused' }],
    });
  });

  it('refuse a purchase that is not the customer’s', async () => {
    const [kariId, otherId] = [await register(), await register()];
    const input = {
      customerId: otherId,
      purchasedAt: '2026-03-01',
      currency: 'NOK',
      lines: [{ kind: 'product', itemType: 'x', quantity: '1', unitPrice: '1' }],
    } as const;
    const { purchaseId } = await side.as('integrator', 'avtale', () =>
      new RecordPurchaseHandler(side.ledger, policy, side.clock).execute(new RecordPurchase(input)),
    );
    await expect(open(kariId, { purchaseId })).rejects.toMatchObject({ errors: [{ path: 'purchaseId' }] });
    await expect(open(kariId, { purchaseId: newId<PurchaseId>() })).rejects.toMatchObject({
      errors: [{ path: 'purchaseId' }],
    });
    await expect(open(otherId, { purchaseId })).resolves.toBeDefined();
  });

  it('take nothing more about a forgotten person; what is left is work, found by status only, also in a rebuild', async () => {
    const customerId = await register();
    const id = await open(customerId);
    await note(id, 'Ringte');
    await forget(customerId);
    await expect(open(customerId)).rejects.toMatchObject({ code: 'subject-closed' });
    await expect(note(id, 'meir')).rejects.toMatchObject({ code: 'subject-closed' });
    await expect(advance(id, 'closed')).rejects.toMatchObject({ code: 'subject-closed' });
    const { status, history, about } = await one(id);
    expect([status.description.state, status.customerId.state, history[1]!.text!.state, about]).toEqual([
      'erased',
      'erased',
      'erased',
      [],
    ]);
    expect((await list({ customerId })).items).toEqual([]);
    expect((await list({ status: 'opened' })).items).toHaveLength(1);
    expect(await side.rebuilt(...TABLES)).toEqual(await side.rows(...TABLES));
  });
});
