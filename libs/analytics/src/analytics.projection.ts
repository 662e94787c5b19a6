import type { Relationship, Sector } from '#customers';
import { CustomerRegistered, RelationshipChanged } from '#customers';
import type { Day } from '#kernel';
import { osloDay } from '#kernel';
import { added, inserts, projection, updates, upserts } from '#projections';
import type { LineKind } from '#purchases';
import { PurchaseRecorded } from '#purchases';
import type { CaseKind, CaseStatus } from '#service';
import { ServiceCaseAdvanced, ServiceCaseOpened } from '#service';
import { MINIMUM_TABLE, grantsOn, monthlyView } from './analyst-views.js';

/** A line of a sale. `position` and `line` make it unique; neither leads to the buyer. Decimals are text: nothing is rounded. */
export interface SalesRow {
  position: string;
  line: number;
  day: Day;
  kind: LineKind;
  item_type: string;
  region: string | null;
  sector: Sector;
  first_purchase: boolean;
  currency: string;
  quantity: string;
  amount: string;
}

/** A service case as a piece of work: no person, no text. */
export interface ServiceCasesRow {
  case_id: string;
  kind: CaseKind;
  item_type: string;
  status: CaseStatus;
  opened_on: Day;
  /** The day it was last closed; null while it is open. */
  closed_on: Day | null;
  reopened: number;
}

/** How many persons entered a relationship in a month. Counted when it happens, so nobody who is forgotten is taken off. */
export interface CustomersRow {
  /** First day of the month. */
  month: Day;
  relationship: Relationship;
  sector: Sector;
  region: string;
  persons: number;
}

/** What SQL users see of sales, service and customers; nothing else of the schema is theirs. */
const VIEWS = [
  monthlyView({
    ...{ name: 'sales_by_month', table: 'sales', month: `date_trunc('month', day)::date`, size: 'purchases' },
    dimensions: {
      kind: ['kind', 'text'],
      item_type: ['item_type', 'text'],
      region: ['region', 'text'],
      sector: ['sector', 'text'],
      first_purchase: ['first_purchase', 'boolean'],
      currency: ['currency', 'text'],
    },
    apart: ['currency'],
    measures: {
      purchases: ['count(distinct position)', 'bigint'],
      lines: ['count(*)', 'bigint'],
      quantity: ['sum(quantity)', 'numeric'],
      amount: ['sum(amount)', 'numeric'],
    },
  }),
  monthlyView({
    ...{ name: 'service_by_month', table: 'service_cases', size: 'cases' },
    month: `date_trunc('month', opened_on)::date`,
    dimensions: { kind: ['kind', 'text'], item_type: ['item_type', 'text'], status: ['status', 'text'] },
    measures: {
      cases: ['count(*)', 'bigint'],
      closed: ['count(closed_on)', 'bigint'],
      reopened: ['sum(reopened)', 'bigint'],
      days_to_close: ['coalesce(sum(closed_on - opened_on), 0)', 'bigint'],
    },
  }),
  monthlyView({
    ...{ name: 'customers_by_month', table: 'customers', month: 'month', size: 'persons' },
    dimensions: {
      relationship: ['relationship', 'text'],
      sector: ['sector', 'text'],
      region: [`nullif(region, '')`, 'text'],
    },
    measures: { persons: ['sum(persons)', 'bigint'] },
  }),
];

/** Run again whenever the projector starts: the group may have been made since the tables were. */
export const GRANTS = grantsOn(['sales_by_month', 'service_by_month', 'customers_by_month']);

const insertSale = inserts<SalesRow>('sales');
const insertCase = inserts<ServiceCasesRow>('service_cases');
const advanceCase = updates<ServiceCasesRow, 'case_id' | 'status' | 'day'>('service_cases', {
  by: 'case_id',
  given: { case_id: 'uuid', status: 'text', day: 'date' },
  set: {
    status: 'given.status',
    closed_on: `case given.status when 'closed' then given.day when 'reopened' then null else service_cases.closed_on end`,
    reopened: `service_cases.reopened + case given.status when 'reopened' then 1 else 0 end`,
  },
});
const countCustomer = upserts<CustomersRow>('customers', {
  key: ['month', 'relationship', 'sector', 'region'],
  set: { persons: added },
});

/**
 * Facts for analysts: the schema `analytics`. Built from plain fields only, so that an erasure or a rebuild can't change a
 * figure. SQL users (members of `makuler_analyst`) read the views alone, monthly sums in which small groups are merged; the
 * API reads the tables and merges by itself.
 */
export const analytics = projection<{ sales: SalesRow; service_cases: ServiceCasesRow; customers: CustomersRow }>(
  'analytics',
  {
    version: 2,
    holdsPersonalData: false,
    tables: `
      create table sales (
        position bigint not null,
        line integer not null,
        day date not null,
        kind text not null,
        item_type text not null,
        region text,
        sector text not null,
        first_purchase boolean not null,
        currency text not null,
        quantity numeric not null,
        amount numeric not null,
        primary key (position, line)
      );
      create index sales_day on sales (day);
      create table service_cases (
        case_id uuid primary key,
        kind text not null,
        item_type text not null,
        status text not null,
        opened_on date not null,
        closed_on date,
        reopened integer not null
      );
      create table customers (
        month date not null,
        relationship text not null,
        sector text not null,
        region text not null,
        persons integer not null,
        primary key (month, relationship, sector, region)
      );
      ${MINIMUM_TABLE}
      ${VIEWS.join('\n')}
      ${GRANTS}`,
  },
)
  .on(PurchaseRecorded, ({ data, position }) => {
    const { day, region, sector, firstPurchase, currency } = data;
    return data.lines.map(({ kind, itemType, quantity, amount }, line) =>
      insertSale({
        ...{ position: position.toString(), line, day, region, sector, currency },
        ...{ first_purchase: firstPurchase, kind, item_type: itemType, quantity, amount },
      }),
    );
  })
  .on(ServiceCaseOpened, ({ data, stream }) =>
    insertCase({
      case_id: caseIdOf(stream),
      kind: data.kind,
      item_type: data.itemType,
      status: 'opened',
      opened_on: data.day,
      closed_on: null,
      reopened: 0,
    }),
  )
  .on(ServiceCaseAdvanced, ({ data, stream }) =>
    advanceCase({ case_id: caseIdOf(stream), status: data.status, day: data.day }),
  )
  .on(CustomerRegistered, ({ data, at }) => countCustomer(personIn(data, at)))
  .on(RelationshipChanged, ({ data, at }) => countCustomer(personIn(data, at)));

const caseIdOf = (stream: string) => stream.slice('service-'.length);

const personIn = (
  { relationship, sector, region }: { relationship: Relationship; sector: Sector; region: string | null },
  at: Date,
): CustomersRow => ({ month: `${osloDay(at).slice(0, 7)}-01`, relationship, sector, region: region ?? '', persons: 1 });
