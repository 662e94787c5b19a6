import type { ICommandHandler } from '@nestjs/cqrs';
import { Command, CommandHandler } from '@nestjs/cqrs';
import type { ServiceCaseId } from '#kernel';
import { Clock, osloDay } from '#kernel';
import type { Position } from '#ledger';
import { Ledger } from '#ledger';
import type { CaseStatus } from './service-case.events.js';
import { advanceCase, serviceCase, serviceStream } from './service-case.js';

/** Moves a case on. Throws `illegal-transition` (with the legal ones in `allowed`), `not-found`, `subject-closed`. */
export class AdvanceServiceCase extends Command<{ readonly position: Position; readonly revision: bigint }> {
  constructor(
    readonly serviceCaseId: ServiceCaseId,
    readonly to: CaseStatus,
  ) {
    super();
  }
}

@CommandHandler(AdvanceServiceCase)
export class AdvanceServiceCaseHandler implements ICommandHandler<AdvanceServiceCase> {
  constructor(
    private readonly ledger: Ledger,
    private readonly clock: Clock,
  ) {}

  execute({ serviceCaseId, to }: AdvanceServiceCase) {
    const day = osloDay(this.clock.now());
    return this.ledger.decide(serviceCase, serviceStream(serviceCaseId), (state) => advanceCase(state, to, day));
  }
}
