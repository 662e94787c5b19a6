import { Query, QueryHandler } from '@nestjs/cqrs';
import type { IQueryHandler } from '@nestjs/cqrs';
import { Kysely } from 'kysely';
import type { Disclosed } from '#disclosure';
import { Disclosure } from '#disclosure';
import type { CustomerId } from '#kernel';
import { MakulerError } from '#kernel';
import type { Relationship } from './customer.events.js';
import { customerCardFields } from './customer.events.js';
import { customerCard } from './customer-card.projection.js';

/** A card as a reader may see it. */
export interface CustomerCardView extends Disclosed<typeof customerCardFields> {
  readonly customerId: CustomerId;
  readonly relationship: Relationship;
  readonly registeredAt: Date;
  readonly changedAt: Date;
}

/** Asks for one customer's card. Throws `not-found`. */
export class GetCustomerCard extends Query<{ readonly card: CustomerCardView; readonly revision: bigint }> {
  constructor(readonly customerId: CustomerId) {
    super();
  }
}

@QueryHandler(GetCustomerCard)
export class GetCustomerCardHandler implements IQueryHandler<GetCustomerCard> {
  constructor(
    private readonly readModels: Kysely<any>,
    private readonly disclosure: Disclosure,
  ) {}

  async execute({ customerId }: GetCustomerCard) {
    const row = await customerCard
      .reader(this.readModels)
      .selectFrom('customer_card')
      .selectAll()
      .where('customer_id', '=', customerId)
      .executeTakeFirst();
    if (!row) throw new MakulerError('not-found');
    const [fields] = await this.disclosure.open(customerCardFields, [row.envelope]);
    const { relationship, registered_at: registeredAt, changed_at: changedAt } = row;
    return { card: { customerId, relationship, ...fields!, registeredAt, changedAt }, revision: BigInt(row.revision) };
  }
}
