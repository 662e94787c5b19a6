import type { Envelope } from '#ledger';
import { inserts, projection, updates } from '#projections';
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

const insertCard = inserts<CustomerCardRow>('customer_card');
const rectifyCard = updates<CustomerCardRow, 'customer_id' | 'revision' | 'envelope' | 'changed_at'>('customer_card', {
  by: 'customer_id',
  given: { customer_id: 'uuid', revision: 'bigint', envelope: 'jsonb', changed_at: 'timestamptz' },
});
const relateCard = updates<CustomerCardRow, 'customer_id' | 'relationship' | 'revision' | 'changed_at'>(
  'customer_card',
  {
    by: 'customer_id',
    given: { customer_id: 'uuid', relationship: 'text', revision: 'bigint', changed_at: 'timestamptz' },
  },
);

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
  .on(CustomerRegistered, ({ data, at, revision, envelope }) =>
    insertCard({
      customer_id: data.customerId,
      relationship: data.relationship,
      revision: revision.toString(),
      envelope,
      registered_at: at,
      changed_at: at,
    }),
  )
  .on(CustomerRectified, ({ data, at, revision, envelope }) =>
    rectifyCard({ customer_id: data.customerId, revision: revision.toString(), envelope, changed_at: at }),
  )
  .on(RelationshipChanged, ({ data, at, revision }) =>
    relateCard({
      customer_id: data.customerId,
      relationship: data.relationship,
      revision: revision.toString(),
      changed_at: at,
    }),
  )
  .forgetsWithKey();
