import { sql } from 'kysely';
import type { Envelope } from '#ledger';
import { projection } from '#projections';
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

const json = (value: unknown) => sql<any>`${JSON.stringify(value)}::jsonb`;

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
  .on(CompanyRegistered, ({ data, at, revision, envelope }, db) =>
    db.insertInto('company_card').values({
      company_id: data.companyId,
      revision: revision.toString(),
      envelope: json(envelope),
      registered_at: at,
      changed_at: at,
    }),
  )
  .on(CompanyRectified, ({ data, at, revision, envelope }, db) =>
    db
      .updateTable('company_card')
      .set({ revision: revision.toString(), envelope: json(envelope), changed_at: at })
      .where('company_id', '=', data.companyId),
  )
  .forgetsWithKey();
