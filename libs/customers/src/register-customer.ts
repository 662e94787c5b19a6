import type { ICommandHandler } from '@nestjs/cqrs';
import { Command, CommandHandler } from '@nestjs/cqrs';
import type { CompanyCard, SourceKey } from '#companies';
import { company, companyStream, readCompany, registerCompany } from '#companies';
import { InputReading } from '#formats';
import type { CompanyId, CustomerId, InputProblem } from '#kernel';
import { MakulerError, currentContext } from '#kernel';
import type { Position } from '#ledger';
import { Ledger } from '#ledger';
import { Policy } from '#policy';
import type { CustomerInput } from './customer-input.js';
import { readCustomer, segmentOf } from './customer-input.js';
import { customer, customerStream, registerCustomer } from './customer.js';
import { employerOf } from './employer.js';

export interface CustomerRegistration {
  readonly customerId: CustomerId;
  /** The company that was registered along with the person. */
  readonly companyId: CompanyId | undefined;
  readonly revision: bigint;
  readonly position: Position;
  readonly warnings: readonly InputProblem[];
}

/** Registers a lead or customer, with their company if it came along. Throws `invalid-input` with every problem, `subject-closed`. */
export class RegisterCustomer extends Command<CustomerRegistration> {
  constructor(
    readonly input: CustomerInput,
    readonly sourceKey: SourceKey | null = null,
  ) {
    super();
  }
}

@CommandHandler(RegisterCustomer)
export class RegisterCustomerHandler implements ICommandHandler<RegisterCustomer> {
  constructor(
    private readonly ledger: Ledger,
    private readonly policy: Policy,
  ) {}

  async execute({ input, sourceKey }: RegisterCustomer): Promise<CustomerRegistration> {
    const { ids } = currentContext();
    const id = ids.next<CustomerId>();
    const newCompanyId = ids.next<CompanyId>();
    const [revisionId, companyRevisionId] = [ids.next(), ids.next()];
    const reading = new InputReading(this.policy.checkFields(input.relationship, input));
    const own = readCustomer(this.policy, input, reading);
    const along = input.company ? readCompany(this.policy, input.company, reading, 'company') : undefined;
    reading.done();
    this.#requirePurposeFor(along);
    const employer = along ?? (await employerOf(this.ledger, own.companyId));
    // Two streams, in order, each wholly: a retry draws the same ids, finds the company there and goes on.
    if (along) await this.#registerCompany(newCompanyId, along, companyRevisionId);
    const card = along ? { ...own, companyId: newCompanyId } : own;
    const segment = segmentOf(this.policy, card, employer);
    const { position } = await this.ledger.decide(customer, customerStream(id), (state) =>
      registerCustomer(state, { id, relationship: input.relationship, card, segment, sourceKey, revisionId }),
    );
    const companyId = along ? newCompanyId : undefined;
    return { customerId: id, companyId, revision: 0n, position, warnings: reading.warnings };
  }

  /** The route's purpose covers the person; an e-mail for invoices may be another's, and needs a purpose of its own. */
  #requirePurposeFor(company: CompanyCard | undefined): void {
    const { purpose = '', roles } = currentContext();
    if (company?.invoiceEmail && !this.policy.mayWrite(purpose, roles, 'invoice-contact'))
      throw new MakulerError('purpose-not-allowed', { detail: 'The purpose does not allow an e-mail for invoices.' });
  }

  #registerCompany(id: CompanyId, card: CompanyCard, revisionId: string) {
    return this.ledger.decide(company, companyStream(id), (state) =>
      registerCompany(state, id, card, null, revisionId),
    );
  }
}
