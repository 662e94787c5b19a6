import type { ICommandHandler } from '@nestjs/cqrs';
import { Command, CommandHandler } from '@nestjs/cqrs';
import { InputReading, givenFields } from '#formats';
import type { CustomerId, InputProblem } from '#kernel';
import { currentContext } from '#kernel';
import type { Position } from '#ledger';
import { Ledger } from '#ledger';
import { Policy } from '#policy';
import type { CustomerChanges } from './customer-input.js';
import { readCustomer } from './customer-input.js';
import type { CustomerCard } from './customer.events.js';
import type { KnownCustomer } from './customer.js';
import { customer, customerStream, openCustomerCard, rectifyCustomer, requireCustomer } from './customer.js';
import { employerOf } from './employer.js';

export interface CustomerRectification {
  readonly revision: bigint;
  readonly position: Position;
  readonly warnings: readonly InputProblem[];
}

/**
 * Puts a card right (GDPR art. 16): only the fields that are given (null empties one; a part of an address changes that
 * part). Throws `not-found`, `subject-closed`, `precondition-failed`, `invalid-input`.
 */
export class RectifyCustomer extends Command<CustomerRectification> {
  constructor(
    readonly customerId: CustomerId,
    readonly changes: CustomerChanges,
    /** Revision of the card that the caller read. */
    readonly expected: bigint,
  ) {
    super();
  }
}

@CommandHandler(RectifyCustomer)
export class RectifyCustomerHandler implements ICommandHandler<RectifyCustomer> {
  constructor(
    private readonly ledger: Ledger,
    private readonly policy: Policy,
  ) {}

  async execute({ customerId, changes: sent, expected }: RectifyCustomer): Promise<CustomerRectification> {
    const revisionId = currentContext().ids.next();
    const changes: CustomerChanges = givenFields(sent);
    await employerOf(this.ledger, changes.companyId);
    let warnings: readonly InputProblem[] = [];
    const { state, position } = await this.ledger.decide(customer, customerStream(customerId), (current) => {
      const known = requireCustomer(current);
      const kind = known.relationship === 'lead' ? 'lead' : 'customer';
      const reading = new InputReading(this.policy.checkFields(kind, changes, { partial: true }));
      const read = this.#read(known, changes, reading);
      reading.done();
      ({ warnings } = reading);
      return rectifyCustomer(current, { changes: read, expected, revisionId });
    });
    return { revision: requireCustomer(state).revision, position, warnings };
  }

  /** The changed fields are judged as they stand in the whole card: a telephone number by the address's country. */
  #read(known: KnownCustomer, changes: CustomerChanges, reading: InputReading): Partial<CustomerCard> {
    const card = openCustomerCard(known);
    const address = changes.address === null ? null : { ...card.address, ...changes.address };
    const read = readCustomer(this.policy, { ...changes, address }, reading);
    return Object.fromEntries(Object.entries(read).filter(([field]) => field in changes));
  }
}
