import { sql } from 'kysely';
import type { Envelope } from '#ledger';
import { projection } from '#projections';
import type { Relationship } from './customer.events.js';
import { CustomerRectified, CustomerRegistered, RelationshipChanged } from './customer.events.js';

/** One person's card. Everything personal is inside the envelope of the event that last wrote the card. */
export interface CustomerCardRow {
  customer_id: string;
  relationship: Relationship;
  /** Revision of the stream at the card's last change: the ETag. */
  revision: string;
  envelope: Envelope;
  registered_at: Date;
  changed_at: Date;
}

const json = (value: unknown) => sql<any>`${JSON.stringify(value)}::jsonb`;

/** The card of each customer; the destroyed key takes it along, and what is left says that somebody was forgotten. */
export const customerCard = projection<{ customer_card: CustomerCardRow }>('customer_card', {
  version: 1,
  holdsPersonalData: true,
  tables: `
    create table customer_card (
      customer_id uuid primary key,
      relationship text not null,
      revision bigint not null,
      envelope jsonb not null,
      registered_at timestamptz not null,
      changed_at timestamptz not null
    );`,
})
  .on(CustomerRegistered, ({ data, at, revision, envelope }, db) =>
    db.insertInto('customer_card').values({
      customer_id: data.customerId,
      relationship: data.relationship,
      revision: revision.toString(),
      envelope: json(envelope),
      registered_at: at,
      changed_at: at,
    }),
  )
  .on(CustomerRectified, ({ data, at, revision, envelope }, db) =>
    db
      .updateTable('customer_card')
      .set({ revision: revision.toString(), envelope: json(envelope), changed_at: at })
      .where('customer_id', '=', data.customerId),
  )
  .on(RelationshipChanged, ({ data, at, revision }, db) =>
    db
      .updateTable('customer_card')
      .set({ relationship: data.relationship, revision: revision.toString(), changed_at: at })
      .where('customer_id', '=', data.customerId),
  )
  .forgetsWithKey();
