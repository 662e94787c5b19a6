import type { ICommandHandler } from '@nestjs/cqrs';
import { Command, CommandHandler } from '@nestjs/cqrs';
import type { CompanyCard, SourceKey } from '#companies';
import type { CustomerCard } from '#customers';
import {
  customer,
  customerStream,
  employerOf,
  noteActivity,
  openCustomerCard,
  requireBuyer,
  requireCustomer,
  segmentOf,
} from '#customers';
import type { PurchaseId } from '#kernel';
import { Clock, currentContext, osloDay } from '#kernel';
import type { Position } from '#ledger';
import { Ledger } from '#ledger';
import { Policy } from '#policy';
import type { PurchasePart } from './past-maximum.js';
import { partsPastMaximum } from './past-maximum.js';
import type { PurchaseInput } from './purchase-input.js';
import { readPurchase } from './purchase-input.js';
import type { InvoicedBuyer } from './purchase.events.js';
import type { Buyer } from './purchase.js';
import { purchase, purchaseStream, recordPurchase } from './purchase.js';

export interface PurchaseRecording {
  readonly purchaseId: PurchaseId;
  readonly position: Position;
  /** What was past its maximum and is not stored; the facts for the analysts are. */
  readonly notStored: readonly PurchasePart[];
}

/** Records a purchase of a customer, or of their company if they have one. Throws `invalid-input`, `not-found`, `subject-closed`. */
export class RecordPurchase extends Command<PurchaseRecording> {
  constructor(
    readonly input: PurchaseInput,
    readonly sourceKey: SourceKey | null = null,
  ) {
    super();
  }
}

@CommandHandler(RecordPurchase)
export class RecordPurchaseHandler implements ICommandHandler<RecordPurchase> {
  constructor(
    private readonly ledger: Ledger,
    private readonly policy: Policy,
    private readonly clock: Clock,
  ) {}

  async execute({ input, sourceKey }: RecordPurchase): Promise<PurchaseRecording> {
    const purchaseId = currentContext().ids.next<PurchaseId>();
    const today = osloDay(this.clock.now());
    const { invoice, ...read } = readPurchase(this.policy, input, today);
    // In the person's own stream first: it says whether anything may be stored about them, and keeps the date of the activity.
    const noted = await this.ledger.decide(customer, customerStream(input.customerId), (state) => {
      requireBuyer(state);
      return noteActivity(state, { day: read.day, kind: 'purchase', recordId: purchaseId });
    });
    const person = requireCustomer(noted.state);
    const card = openCustomerCard(person);
    const company = await employerOf(this.ledger, card.companyId);
    const buyer: Buyer = card.companyId
      ? { kind: 'company', companyId: card.companyId, contactId: person.id }
      : { kind: 'person', customerId: person.id };
    const pastMaximum = partsPastMaximum(this.policy, { ...read, invoice }, buyer.kind, today);
    const { position } = await this.ledger.decide(purchase, purchaseStream(purchaseId), (state) =>
      recordPurchase(state, {
        ...read,
        buyer,
        region: segmentOf(this.policy, card, company).region,
        firstPurchase: person.activity.firstPurchaseId === purchaseId,
        // Vouchers that the accounting system keeps are not kept here as well.
        invoice:
          invoice && this.policy.vouchers.held === 'here' ? { ...invoice, buyer: invoiced(card, company) } : null,
        sourceKey,
        pastMaximum,
      }),
    );
    return { purchaseId, position, notStored: [...pastMaximum] };
  }
}

const invoiced = (card: CustomerCard, company: CompanyCard | undefined): InvoicedBuyer =>
  company
    ? { name: company.name, organisationNumber: company.organisationNumber, address: withCountry(company) }
    : { name: card.name, organisationNumber: null, address: card.address };

const withCountry = ({ address, country }: CompanyCard) => address && { country, ...address };
