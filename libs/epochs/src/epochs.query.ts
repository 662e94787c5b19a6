import type { IQueryHandler } from '@nestjs/cqrs';
import { Query, QueryHandler } from '@nestjs/cqrs';
import { Clock } from '#kernel';
import type { EpochsReport, RetiringEpoch } from '#vault/operations';
import { VaultOperations } from '#vault/operations';

/** The vault's epochs, and which destructions are late. */
export interface EpochsView extends Omit<EpochsReport, 'retiring'> {
  readonly retiring: readonly (RetiringEpoch & {
    /** The date has passed by more than the hour that a run of the job may take to come. */
    readonly overdue: boolean;
  })[];
}

const PATIENCE_MS = 2 * 3_600_000;

/** Says of each epoch whether its roots should be gone by now. */
export const withOverdue = (report: EpochsReport, now: Date): EpochsView => ({
  ...report,
  retiring: report.retiring.map((retiring) => ({
    ...retiring,
    overdue: now.getTime() - Date.parse(retiring.destroyAt) > PATIENCE_MS,
  })),
});

/** Asks for the epochs. Throws `vault-unavailable`. */
export class GetEpochs extends Query<EpochsView> {}

@QueryHandler(GetEpochs)
export class GetEpochsHandler implements IQueryHandler<GetEpochs> {
  constructor(
    private readonly operations: VaultOperations,
    private readonly clock: Clock,
  ) {}

  async execute(): Promise<EpochsView> {
    return withOverdue(await this.operations.epochs(), this.clock.now());
  }
}
