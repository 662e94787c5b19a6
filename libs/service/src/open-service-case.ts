import type { ICommandHandler } from '@nestjs/cqrs';
import { Command, CommandHandler } from '@nestjs/cqrs';
import type { SourceKey } from '#companies';
import type { KnownCustomer } from '#customers';
import { customer, customerStream, noteActivity, requireCustomer } from '#customers';
import type { PurchaseId, ServiceCaseId } from '#kernel';
import { Clock, MakulerError, currentContext, osloDay, valueOf } from '#kernel';
import type { Position } from '#ledger';
import { Ledger } from '#ledger';
import { Policy } from '#policy';
import { purchase, purchaseStream } from '#purchases';
import { openCase, serviceCase, serviceStream } from './service-case.js';
import type { ServiceCaseInput } from './service-input.js';
import { readCase } from './service-input.js';

/** Opens a case for a customer. Throws `invalid-input`, `not-found`, `subject-closed`. */
export class OpenServiceCase extends Command<{ readonly serviceCaseId: ServiceCaseId; readonly position: Position }> {
  constructor(
    readonly input: ServiceCaseInput,
    readonly sourceKey: SourceKey | null = null,
  ) {
    super();
  }
}

@CommandHandler(OpenServiceCase)
export class OpenServiceCaseHandler implements ICommandHandler<OpenServiceCase> {
  constructor(
    private readonly ledger: Ledger,
    private readonly policy: Policy,
    private readonly clock: Clock,
  ) {}

  async execute({ input, sourceKey }: OpenServiceCase) {
    const serviceCaseId = currentContext().ids.next<ServiceCaseId>();
    const read = readCase(this.policy, input);
    const { customerId, kind } = input;
    const purchaseId = input.purchaseId ?? null;
    const stream = customerStream(customerId);
    if (purchaseId !== null)
      await this.#requireTheirs(purchaseId, requireCustomer((await this.ledger.load(customer, stream)).state));
    const day = osloDay(this.clock.now());
    // In the person's own stream first: it says whether anything may be stored about them, and keeps the date of the activity.
    await this.ledger.decide(customer, stream, (state) =>
      noteActivity(state, { day, kind: 'service', recordId: serviceCaseId }),
    );
    const { position } = await this.ledger.decide(serviceCase, serviceStream(serviceCaseId), (state) =>
      openCase(state, { customerId, kind, day, purchaseId, sourceKey, ...read }),
    );
    return { serviceCaseId, position };
  }

  /** A purchase that is somebody else's answers like one that does not exist. */
  async #requireTheirs(purchaseId: PurchaseId, { id, card }: KnownCustomer): Promise<void> {
    const { state } = await this.ledger.load(purchase, purchaseStream(purchaseId));
    const buyers: readonly (string | null | undefined)[] =
      state.status === 'recorded' ? [valueOf(state.buyerId), valueOf(state.contactId)] : [];
    const company = valueOf(card.companyId);
    if (buyers.includes(id) || (company && buyers.includes(company))) return;
    throw new MakulerError('invalid-input', {
      errors: [{ path: 'purchaseId', code: 'unknown-purchase', message: 'This customer has no such purchase.' }],
    });
  }
}
