import { Query, QueryHandler } from '@nestjs/cqrs';
import type { IQueryHandler } from '@nestjs/cqrs';
import { Kysely } from 'kysely';
import { Disclosure } from '#disclosure';
import type { CustomerId, Day, Opened, OwnerRef, PurchaseId, ServiceCaseId } from '#kernel';
import { MakulerError, subjectOwner } from '#kernel';
import type { CaseKind, CaseStatus } from './service-case.events.js';
import { ServiceCaseOpened, ServiceNoteAdded } from './service-case.events.js';
import { serviceHistory } from './service-history.projection.js';
import type { ServiceStatusRow } from './service-status.projection.js';
import { serviceStatus } from './service-status.projection.js';
import { allowedFrom } from './transitions.js';

/** Where a case stands, as a reader may see it. */
export interface ServiceStatusView {
  readonly serviceCaseId: ServiceCaseId;
  readonly kind: CaseKind;
  readonly itemType: string;
  readonly status: CaseStatus;
  /** The statuses that it may go to. */
  readonly allowed: readonly CaseStatus[];
  readonly openedOn: Day;
  readonly changedOn: Day;
  readonly customerId: Opened<CustomerId>;
  readonly purchaseId: Opened<PurchaseId | null>;
  readonly serialNumber: Opened<string | null>;
  readonly description: Opened<string>;
}

/** One thing that happened in a case. */
export interface ServiceHistoryEntry {
  readonly at: Date;
  readonly entry: 'status' | 'note';
  readonly status?: CaseStatus;
  readonly text?: Opened<string>;
}

/** Asks for one case: its status now and its history, as two things. Throws `not-found`. */
export class GetServiceCase extends Query<{
  readonly status: ServiceStatusView;
  readonly history: readonly ServiceHistoryEntry[];
  readonly about: readonly OwnerRef[];
}> {
  constructor(readonly serviceCaseId: ServiceCaseId) {
    super();
  }
}

@QueryHandler(GetServiceCase)
export class GetServiceCaseHandler implements IQueryHandler<GetServiceCase> {
  constructor(
    private readonly readModels: Kysely<any>,
    private readonly disclosure: Disclosure,
  ) {}

  async execute({ serviceCaseId }: GetServiceCase) {
    const row = await serviceStatus
      .reader(this.readModels)
      .selectFrom('service_status')
      .selectAll()
      .where('case_id', '=', serviceCaseId)
      .executeTakeFirst();
    if (!row) throw new MakulerError('not-found');
    const entries = await serviceHistory
      .reader(this.readModels)
      .selectFrom('service_history')
      .selectAll()
      .where('case_id', '=', serviceCaseId)
      .orderBy('revision')
      .execute();
    const notes = entries.flatMap(({ envelope }) => envelope ?? []);
    const opened = await this.disclosure.open(ServiceNoteAdded.fields, notes);
    const texts = new Map(notes.map((envelope, index) => [envelope, opened[index]!.text]));
    const history = entries.map(({ at, entry, status, envelope }) => ({
      ...{ at, entry },
      ...(status === null ? {} : { status }),
      ...(envelope === null ? {} : { text: texts.get(envelope)! }),
    }));
    const [view] = await statusViews(this.disclosure, [row]);
    return { status: view!, history, about: ownersIn([row]) };
  }
}

export interface ServiceStatusPage {
  readonly items: readonly ServiceStatusView[];
  /** Place in the log of the last case of the page, if there are more. */
  readonly next: string | undefined;
  readonly about: readonly OwnerRef[];
}

/** Asks for cases, newest first: of one customer, or of one status, or all. */
export class ListServiceCases extends Query<ServiceStatusPage> {
  constructor(
    readonly filter: { readonly customerId?: CustomerId; readonly status?: CaseStatus },
    readonly limit: number,
    readonly after?: string,
  ) {
    super();
  }
}

@QueryHandler(ListServiceCases)
export class ListServiceCasesHandler implements IQueryHandler<ListServiceCases> {
  constructor(
    private readonly readModels: Kysely<any>,
    private readonly disclosure: Disclosure,
  ) {}

  async execute({ filter, limit, after }: ListServiceCases): Promise<ServiceStatusPage> {
    let query = serviceStatus.reader(this.readModels).selectFrom('service_status').selectAll();
    if (filter.customerId !== undefined) query = query.where('customer_id', '=', filter.customerId);
    if (filter.status !== undefined) query = query.where('status', '=', filter.status);
    if (after !== undefined) query = query.where('position', '<', after);
    const rows = await query
      .orderBy('position', 'desc')
      .limit(limit + 1)
      .execute();
    const page = rows.slice(0, limit);
    return {
      items: await statusViews(this.disclosure, page),
      next: rows.length > limit ? page.at(-1)?.position : undefined,
      about: ownersIn(page),
    };
  }
}

const statusViews = async (
  disclosure: Disclosure,
  rows: readonly ServiceStatusRow[],
): Promise<readonly ServiceStatusView[]> => {
  const opened = await disclosure.open(
    ServiceCaseOpened.fields,
    rows.map(({ envelope }) => envelope),
  );
  return rows.map((row, index) => {
    const { customerId, purchaseId, serialNumber, description } = opened[index]!;
    return {
      serviceCaseId: row.case_id as ServiceCaseId,
      ...{ kind: row.kind, itemType: row.item_type, status: row.status, allowed: allowedFrom(row.kind, row.status) },
      ...{ openedOn: row.opened_on, changedOn: row.changed_on },
      ...{ customerId, purchaseId, serialNumber, description },
    };
  });
};

const ownersIn = (rows: readonly ServiceStatusRow[]): readonly OwnerRef[] =>
  rows.flatMap(({ customer_id: id }) => (id === null ? [] : [subjectOwner(id as CustomerId)]));
