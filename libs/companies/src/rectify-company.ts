import type { ICommandHandler } from '@nestjs/cqrs';
import { Command, CommandHandler } from '@nestjs/cqrs';
import { InputReading, givenFields } from '#formats';
import type { CompanyId, InputProblem } from '#kernel';
import { currentContext } from '#kernel';
import type { Position } from '#ledger';
import { Ledger } from '#ledger';
import { Policy } from '#policy';
import type { CompanyCard } from './company.events.js';
import type { CompanyInput } from './company-input.js';
import { readCompany } from './company-input.js';
import type { Company } from './company.js';
import { company, companyStream, openCompanyCard, rectifyCompany, requireCompany } from './company.js';

export interface CompanyRectification {
  readonly revision: bigint;
  readonly position: Position;
  readonly warnings: readonly InputProblem[];
}

/**
 * Puts a company's card right: only the fields that are given (null empties one; a part of an address changes that part).
 * Throws `not-found`, `subject-closed`, `precondition-failed`, `invalid-input`.
 */
export class RectifyCompany extends Command<CompanyRectification> {
  constructor(
    readonly companyId: CompanyId,
    readonly changes: CompanyInput,
    /** Revision of the card that the caller read. */
    readonly expected: bigint,
  ) {
    super();
  }
}

@CommandHandler(RectifyCompany)
export class RectifyCompanyHandler implements ICommandHandler<RectifyCompany> {
  constructor(
    private readonly ledger: Ledger,
    private readonly policy: Policy,
  ) {}

  async execute({ companyId, changes: sent, expected }: RectifyCompany): Promise<CompanyRectification> {
    const revisionId = currentContext().ids.next();
    const changes: CompanyInput = givenFields(sent);
    let warnings: readonly InputProblem[] = [];
    const { state, position } = await this.ledger.decide(company, companyStream(companyId), (current) => {
      const reading = new InputReading(this.policy.checkFields('company', changes, { partial: true }));
      const read = this.#read(current, changes, reading);
      reading.done();
      ({ warnings } = reading);
      return rectifyCompany(current, { changes: read, expected, revisionId });
    });
    return { revision: requireCompany(state).revision, position, warnings };
  }

  /** The changed fields are judged as they stand in the whole card: a number by the card's country. */
  #read(state: Company, changes: CompanyInput, reading: InputReading): Partial<CompanyCard> {
    const card = openCompanyCard(requireCompany(state));
    const address = changes.address && { ...card.address, ...changes.address };
    const given = { ...changes, ...(address ? { address } : {}), country: changes.country ?? card.country };
    const read = readCompany(this.policy, given, reading);
    return Object.fromEntries(Object.entries(read).filter(([field]) => field in changes));
  }
}
