import { MakulerError, newId } from '#kernel';
import type { VaultStanding, WitnessedCheckpoint } from '#vault/operations';
import { CheckpointWitness } from '#vault/operations';

/** A custodian in memory, as the witness of the log's checkpoints. */
export class WitnessDouble extends CheckpointWitness {
  readonly installation = newId();
  readonly incarnation = newId();
  checkpoint: WitnessedCheckpoint | undefined;
  serving = true;
  mintSequence = 0;

  async standing(): Promise<VaultStanding> {
    const { serving, installation, incarnation, mintSequence, checkpoint } = this;
    return { serving, installation, incarnation, mintSequence, custodianNumber: 2, epoch: 1, checkpoint };
  }

  async witness(checkpoint: WitnessedCheckpoint): Promise<void> {
    const kept = this.checkpoint;
    const further = Number(checkpoint.sequence) - Number(kept?.sequence ?? 0);
    if (kept && (further < 0 || (further === 0 && kept.hash !== checkpoint.hash)))
      throw new MakulerError('checkpoint-stale');
    this.checkpoint = checkpoint;
  }
}
