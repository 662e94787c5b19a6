/**
 * A signed checkpoint of the log (docs/formats/checkpoint.md), as the custodian keeps it. Counts are decimal strings; nothing
 * of it is looked into here but `sequence` and `hash`.
 */
export interface WitnessedCheckpoint {
  /** Number of the last event that it covers. */
  readonly sequence: string;
  /** Where the log had that event: a hint. */
  readonly position: string;
  /** The link of that event, hex: it stands for everything up to there. */
  readonly hash: string;
  /** RFC 3339. */
  readonly at: string;
  /** The whole checkpoint as a JWS. */
  readonly signature: string;
  readonly incarnation: string;
  readonly mintSequence: string;
}

/** What the log says in a checkpoint of which the vault keeps a copy. */
interface OfTheLog extends Pick<WitnessedCheckpoint, 'position' | 'at' | 'signature' | 'incarnation'> {
  readonly sequence: number;
  readonly link: string;
  readonly mintSequence: number;
}

/** A checkpoint of the log as the vault keeps it. */
export const witnessedOf = ({ position, at, signature, incarnation, ...counts }: OfTheLog): WitnessedCheckpoint => ({
  ...{ position, at, signature, incarnation },
  ...{ sequence: String(counts.sequence), hash: counts.link, mintSequence: String(counts.mintSequence) },
});

/** What a checkpoint says of the vault, and the last one that the vault was given. */
export interface VaultStanding {
  /** Whether the gate is open: of a vault that may be the wrong one nothing is written down in the log. */
  readonly serving: boolean;
  readonly installation: string;
  readonly incarnation: string;
  readonly mintSequence: number;
  readonly custodianNumber: number;
  readonly epoch: number;
  readonly checkpoint: WitnessedCheckpoint | undefined;
}

/**
 * Where the log's checkpoints are kept out of the log's reach: at the custodian. Both methods throw `vault-unavailable` when the
 * vault can't be asked. Part of the entry point `#vault/operations`.
 */
export abstract class CheckpointWitness {
  /** Answers behind a closed gate too, as soon as database and custodian were read. */
  abstract standing(): Promise<VaultStanding>;

  /**
   * Keeps a checkpoint in place of the one before; the same one again changes nothing. Throws `checkpoint-stale` for one that
   * covers less than the one that is kept, or as much with another link: then this is not the log that was witnessed.
   */
  abstract witness(checkpoint: WitnessedCheckpoint): Promise<void>;
}
