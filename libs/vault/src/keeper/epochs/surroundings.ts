import type { Clock } from '#kernel';
import type { Pool, PoolClient } from '#postgres';
import type { Write } from '../active.js';
import type { CustodianMirrors } from '../custodian/mirrors.js';
import type { BucketKeyring } from '../keyring.js';
import type { Tell } from '../notice.js';

/** What sealing and destroying rest on. */
export interface EpochSurroundings {
  /** For reading. */
  readonly pool: Pool;
  readonly write: Write;
  readonly keyring: BucketKeyring;
  readonly custodian: CustodianMirrors;
  readonly clock: Clock;
  readonly installation: string;
  /** From the end of a seal to the destruction of the roots before it, in milliseconds: how long an old backup of the vault stays restorable. */
  readonly windowMs: number;
  /** From one planned seal to the next, in milliseconds. For planning only: who calls decides when. */
  readonly sealEveryMs: number;
  /** The right to write, which the vault's row must still show. */
  readonly token: string;
  /** Throws when another vault has taken over. */
  readonly assertActive: (client: PoolClient) => Promise<unknown>;
  readonly tell: Tell;
  /** Called when it is not known whether an epoch has begun: only a reconciliation may go on. */
  readonly onUnapplied: () => void;
}
