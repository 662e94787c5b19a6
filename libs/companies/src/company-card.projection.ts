import type { Envelope } from '#ledger';
import { inserts, projection, updates } from '#projections';
import { CompanyRectified, CompanyRegistered } from './company.events.js';

/** One company's card; everything it says is inside the envelope of the event that last wrote it. */
export interface CompanyCardRow {
  company_id: string;
  /** Revision of the stream at the card's last change: the ETag. */
  revision: string;
  envelope: Envelope;
  registered_at: Date;
  changed_at: Date;
}

const insertCard = inserts<CompanyCardRow>('company_card');
const rectifyCard = updates<CompanyCardRow, 'company_id' | 'revision' | 'envelope' | 'changed_at'>('company_card', {
  by: 'company_id',
  given: { company_id: 'uuid', revision: 'bigint', envelope: 'jsonb', changed_at: 'timestamptz' },
});

/** The card of each company; a sole proprietorship's goes with its key like a person's. */
export const companyCard = projection<{ company_card: CompanyCardRow }>('company_card', {
  version: 1,
  holdsPersonalData: true,
  tables: `
    create table company_card (
      company_id uuid primary key,
      revision bigint not null,
      envelope jsonb not null,
      registered_at timestamptz not null,
      changed_at timestamptz not null
    );`,
})
  .on(CompanyRegistered, ({ data, at, revision, envelope }) =>
    insertCard({
      company_id: data.companyId,
      revision: revision.toString(),
      envelope,
      registered_at: at,
      changed_at: at,
    }),
  )
  .on(CompanyRectified, ({ data, at, revision, envelope }) =>
    rectifyCard({ company_id: data.companyId, revision: revision.toString(), envelope, changed_at: at }),
  )
  .forgetsWithKey();
