import type { EventRegistry } from '#events';
import type { Clock } from '#kernel';
import type { EventStore, Ledger } from '#ledger';
import type { Logger, Metrics } from '#observability';
import type { Policy } from '#policy';
import type { Pool } from '#postgres';
import type { Vault } from '#vault';
import type { CheckpointWitness, VaultArchive, VaultOperations, VaultRecovery } from '#vault/operations';
import type { Shredder } from '#vault/shredder';

/** What api, projector and worker are made of: connections to the other systems, and the policy that all of them obey. */
export interface Parts {
  readonly clock: Clock;
  readonly logger: Logger;
  /** The numbers of this process. */
  readonly metrics: Metrics;
  readonly policy: Policy;
  readonly registry: EventRegistry;
  readonly vault: Vault;
  /** Destroys keys where the vault lets this program: the worker; the api may list scopes. */
  readonly shredder: Shredder;
  /** Seals epochs and destroys roots where the vault lets this program. */
  readonly operations: VaultOperations;
  /** The vault's gate, and what leads out of a closed one. */
  readonly recovery: VaultRecovery;
  /** Keeps the log's checkpoints where the log's writers cannot reach, where the vault lets this program. */
  readonly witness: CheckpointWitness;
  /** Copies of the vault's database, where the vault lets this program. */
  readonly archive: VaultArchive;
  readonly ledger: Ledger;
  /** The log as it is stored, sealed: for what opens nothing of it. */
  readonly store: EventStore;
  /** Read models, checkpoints and job queues: rebuilt, never backed up. */
  readonly readModels: Pool;
  /** Tokens, staff, idempotency, import state: backed up, never rebuilt. */
  readonly control: Pool;
  /** Ends every connection; nothing may be under way. */
  close(): Promise<void>;
}
