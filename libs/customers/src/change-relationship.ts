import type { ICommandHandler } from '@nestjs/cqrs';
import { Command, CommandHandler } from '@nestjs/cqrs';
import type { CompanyCard } from '#companies';
import { InputReading } from '#formats';
import type { CustomerId } from '#kernel';
import { valueOf } from '#kernel';
import type { Position } from '#ledger';
import { Ledger } from '#ledger';
import { Policy } from '#policy';
import { segmentOf } from './customer-input.js';
import type { Customer } from './customer.js';
import { changeRelationship, customer, customerStream, openCustomerCard, requireCustomer } from './customer.js';
import type { Relationship } from './customer.events.js';
import { employerOf } from './employer.js';

/**
 * A lead becomes a customer, a relationship ends or begins again. Whoever becomes a customer must have given all that the
 * policy requires of one (statement, S11). Throws `invalid-input` (what is missing), `illegal-transition`, `not-found`,
 * `subject-closed`.
 */
export class ChangeRelationship extends Command<{ readonly revision: bigint; readonly position: Position }> {
  constructor(
    readonly customerId: CustomerId,
    readonly relationship: Relationship,
  ) {
    super();
  }
}

@CommandHandler(ChangeRelationship)
export class ChangeRelationshipHandler implements ICommandHandler<ChangeRelationship> {
  constructor(
    private readonly ledger: Ledger,
    private readonly policy: Policy,
  ) {}

  async execute({ customerId, relationship }: ChangeRelationship) {
    const stream = customerStream(customerId);
    const known = requireCustomer((await this.ledger.load(customer, stream)).state);
    const employer = await employerOf(this.ledger, valueOf(known.card.companyId));
    const { state, position } = await this.ledger.decide(customer, stream, (current) =>
      this.#decide(current, relationship, employer),
    );
    return { revision: requireCustomer(state).revision, position };
  }

  #decide(current: Customer, to: Relationship, employer: CompanyCard | undefined) {
    const card = openCustomerCard(requireCustomer(current));
    const drafts = changeRelationship(current, to, segmentOf(this.policy, card, employer));
    if (to === 'customer') {
      const problems = this.policy.checkFields('customer', { relationship: to, ...card });
      new InputReading(problems.filter(({ code }) => code === 'required')).done();
    }
    return drafts;
  }
}
