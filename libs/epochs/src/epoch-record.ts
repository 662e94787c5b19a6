import { Injectable } from '@nestjs/common';
import { Clock } from '#kernel';
import type { Position } from '#ledger';
import { Ledger } from '#ledger';
import type { EpochsReport, SealReport } from '#vault/operations';
import { VaultOperations } from '#vault/operations';
import { recordEpochs, sealedEpochs, VAULT_LEDGER } from './sealed-epochs.js';

/** Brings the log up to what the vault says of its epochs. */
@Injectable()
export class EpochRecord {
  /** What the vault said when this process last found nothing to write: the stream is not folded again for the same. */
  #known: string | undefined;

  constructor(
    private readonly ledger: Ledger,
    private readonly operations: VaultOperations,
    private readonly clock: Clock,
  ) {}

  /** Runs inside `inContext`. `undefined` when the log knew all of it. Throws `vault-unavailable`, `store-unavailable`. */
  async bringUpToDate(seal?: SealReport): Promise<Position | undefined> {
    const report = await this.operations.epochs();
    const said = summaryOf(report);
    if (said === this.#known) return undefined;
    const at = this.clock.now().toISOString();
    const { written, position } = await this.ledger.decide(sealedEpochs, VAULT_LEDGER, (state) =>
      recordEpochs(state, report, seal, at),
    );
    this.#known = said;
    return written > 0 ? position : undefined;
  }
}

const summaryOf = ({ current, retiring }: EpochsReport): string =>
  [current, ...retiring.map(({ epoch }) => epoch)].join(' ');
