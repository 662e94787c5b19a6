import type { Day } from '#kernel';
import { valueOf } from '#kernel';
import type { Envelope } from '#ledger';
import { inserts, projection, updates } from '#projections';
import type { CaseKind, CaseStatus } from './service-case.events.js';
import { ServiceCaseAdvanced, ServiceCaseOpened } from './service-case.events.js';

/** Where a case stands now. */
export interface ServiceStatusRow {
  case_id: string;
  /** Place in the log of its opening: the order of the board. */
  position: string;
  kind: CaseKind;
  item_type: string;
  status: CaseStatus;
  opened_on: Day;
  changed_on: Day;
  customer_id: string | null;
  envelope: Envelope;
}

const insertCase = inserts<ServiceStatusRow>('service_status');
const advanceCase = updates<ServiceStatusRow, 'case_id' | 'status' | 'changed_on'>('service_status', {
  by: 'case_id',
  given: { case_id: 'uuid', status: 'text', changed_on: 'date' },
});
const idOf = (stream: string) => stream.slice('service-'.length);

/** The status of every case: what the service desk looks at in the morning. Without the person's id once they are forgotten. */
export const serviceStatus = projection<{ service_status: ServiceStatusRow }>('service_status', {
  version: 1,
  holdsPersonalData: true,
  tables: `
    create table service_status (
      case_id uuid primary key,
      position bigint not null,
      kind text not null,
      item_type text not null,
      status text not null,
      opened_on date not null,
      changed_on date not null,
      customer_id uuid,
      envelope jsonb not null
    );
    create index service_status_customer on service_status (customer_id, position desc);
    create index service_status_status on service_status (status, position desc);
    create index service_status_position on service_status (position desc);`,
})
  .on(ServiceCaseOpened, ({ data, stream, position, envelope }) =>
    insertCase({
      case_id: idOf(stream),
      position: position.toString(),
      kind: data.kind,
      item_type: data.itemType,
      status: 'opened',
      opened_on: data.day,
      changed_on: data.day,
      customer_id: valueOf(data.customerId) ?? null,
      envelope,
    }),
  )
  .on(ServiceCaseAdvanced, ({ data, stream }) =>
    advanceCase({ case_id: idOf(stream), status: data.status, changed_on: data.day }),
  )
  .forgets('service_status', { owner: 'customer_id', envelope: 'envelope', clear: { customer_id: 'customerId' } });
