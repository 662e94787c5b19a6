import type { ICommandHandler } from '@nestjs/cqrs';
import { Command, CommandHandler } from '@nestjs/cqrs';
import { InputReading } from '#formats';
import type { CompanyId, InputProblem } from '#kernel';
import { currentContext } from '#kernel';
import type { Position } from '#ledger';
import { Ledger } from '#ledger';
import { Policy } from '#policy';
import type { SourceKey } from './company.events.js';
import type { CompanyInput } from './company-input.js';
import { readCompany } from './company-input.js';
import { company, companyStream, registerCompany } from './company.js';

export interface CompanyRegistration {
  readonly companyId: CompanyId;
  readonly revision: bigint;
  readonly position: Position;
  readonly warnings: readonly InputProblem[];
}

/** Registers a company. Throws `invalid-input` with every problem. */
export class RegisterCompany extends Command<CompanyRegistration> {
  constructor(
    readonly input: CompanyInput,
    readonly sourceKey: SourceKey | null = null,
  ) {
    super();
  }
}

@CommandHandler(RegisterCompany)
export class RegisterCompanyHandler implements ICommandHandler<RegisterCompany> {
  constructor(
    private readonly ledger: Ledger,
    private readonly policy: Policy,
  ) {}

  async execute({ input, sourceKey }: RegisterCompany): Promise<CompanyRegistration> {
    const { ids } = currentContext();
    const companyId = ids.next<CompanyId>();
    const revisionId = ids.next();
    const reading = new InputReading(this.policy.checkFields('company', input));
    const card = readCompany(this.policy, input, reading);
    reading.done();
    const { position, revision } = await this.ledger.decide(company, companyStream(companyId), (state) =>
      registerCompany(state, companyId, card, sourceKey, revisionId),
    );
    return { companyId, revision, position, warnings: reading.warnings };
  }
}
