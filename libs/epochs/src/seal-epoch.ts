import type { ICommandHandler } from '@nestjs/cqrs';
import { Command, CommandHandler } from '@nestjs/cqrs';
import { Checkpoints } from '#chain';
import type { MakulerError } from '#kernel';
import { isMakulerError } from '#kernel';
import type { Position } from '#ledger';
import { ClockGuard } from '#retention';
import type { SealReport } from '#vault/operations';
import { VaultOperations } from '#vault/operations';
import { EpochRecord } from './epoch-record.js';

export interface Sealing extends SealReport {
  /** Of what was recorded; `undefined` when there was nothing to record. */
  readonly position: Position | undefined;
}

/**
 * Seals the vault's epoch now. `force`: also when nothing was shredded since the last seal. Throws `clock-implausible` while
 * the clock is not confirmed, `vault-unavailable`; sent again, it goes on where it was. Throws `log-altered`, after sealing,
 * when the log is not the one that was witnessed.
 */
export class SealEpoch extends Command<Sealing> {
  constructor(readonly force: boolean = false) {
    super();
  }
}

const unlessAltered = (error: unknown): MakulerError => {
  if (isMakulerError(error, 'log-altered')) return error;
  throw error;
};

@CommandHandler(SealEpoch)
export class SealEpochHandler implements ICommandHandler<SealEpoch> {
  constructor(
    private readonly guard: ClockGuard,
    private readonly checkpoints: Checkpoints,
    private readonly operations: VaultOperations,
    private readonly record: EpochRecord,
  ) {}

  async execute({ force }: SealEpoch): Promise<Sealing> {
    // A seal dates the destruction of the roots. By a clock that is behind they would go before backups are meant to die, by
    // one that is ahead years too late; and neither date could be taken back.
    await this.guard.assertConfirmed();
    // What the log says up to here is witnessed by the custodian before the backups from before begin to run out.
    const altered = await this.checkpoints.now().then(() => undefined, unlessAltered);
    const report = await this.operations.sealEpoch({ force });
    const position = await this.record.bringUpToDate(report);
    // Said as loudly as before, but after it: whoever alters the log must not be able to keep erased people's keys alive.
    if (altered) throw altered;
    return { ...report, position };
  }
}
