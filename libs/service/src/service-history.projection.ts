import type { Envelope } from '#ledger';
import { inserts, projection } from '#projections';
import type { CaseStatus } from './service-case.events.js';
import { ServiceCaseAdvanced, ServiceCaseOpened, ServiceNoteAdded } from './service-case.events.js';

/** One thing that happened in a case. Texts stay inside the envelope. */
export interface ServiceHistoryRow {
  case_id: string;
  revision: string;
  at: Date;
  entry: 'status' | 'note';
  /** The status reached; null for a note. */
  status: CaseStatus | null;
  /** Envelope of a note; null for a status, which has nothing sealed that is shown here. */
  envelope: Envelope | null;
}

const insertEntry = inserts<ServiceHistoryRow>('service_history');
const idOf = (stream: string) => stream.slice('service-'.length);

/** Everything that happened in a case, in order. Rows name the case and nobody else; the destroyed key takes the texts. */
export const serviceHistory = projection<{ service_history: ServiceHistoryRow }>('service_history', {
  version: 1,
  holdsPersonalData: true,
  tables: `
    create table service_history (
      case_id uuid not null,
      revision bigint not null,
      at timestamptz not null,
      entry text not null,
      status text,
      envelope jsonb,
      primary key (case_id, revision)
    );`,
})
  .on(ServiceCaseOpened, ({ stream, revision, at }) =>
    insertEntry({
      case_id: idOf(stream),
      revision: revision.toString(),
      at,
      entry: 'status',
      status: 'opened',
      envelope: null,
    }),
  )
  .on(ServiceCaseAdvanced, ({ data, stream, revision, at }) =>
    insertEntry({
      case_id: idOf(stream),
      revision: revision.toString(),
      at,
      entry: 'status',
      status: data.status,
      envelope: null,
    }),
  )
  .on(ServiceNoteAdded, ({ stream, revision, at, envelope }) =>
    insertEntry({
      case_id: idOf(stream),
      revision: revision.toString(),
      at,
      entry: 'note',
      status: null,
      envelope,
    }),
  )
  .forgetsWithKey();
