import type { StandingReply } from '../rpc/messages.js';
import type { VaultStanding, WitnessedCheckpoint } from '../witness-contract.js';
import { CheckpointWitness } from '../witness-contract.js';
import type { VaultAddress } from './connection.js';
import { VaultConnection } from './connection.js';

const WITHIN_MS = 10_000;

/** The custodian as the log's witness, over gRPC. */
export class GrpcCheckpointWitness extends CheckpointWitness {
  readonly #connection: VaultConnection;

  constructor(address: VaultAddress) {
    super();
    this.#connection = new VaultConnection(address);
  }

  async standing(): Promise<VaultStanding> {
    const { checkpoint, ...standing } = await this.#connection.call<StandingReply>('Standing', {}, WITHIN_MS);
    return { ...standing, checkpoint: checkpoint ?? undefined };
  }
  async witness(checkpoint: WitnessedCheckpoint): Promise<void> {
    await this.#connection.call('Witness', checkpoint, WITHIN_MS);
  }

  close(): void {
    this.#connection.close();
  }
}
