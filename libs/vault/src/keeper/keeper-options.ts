import type { Clock } from '#kernel';
import type { Pool } from '#postgres';
import type { CustodianMirrors } from './custodian/mirrors.js';
import type { GateRefusal } from './gate.js';
import type { LogWitness } from './log-witness.js';
import type { Tell } from './notice.js';

/** What a vault is made of, and how it is told of what happens to it. */
export interface KeeperOptions {
  readonly pool: Pool;
  /**
   * Connections for the right to write (three at least), apart from `pool`: a transaction that waits for the custodian, which waits
   * for the word of the database, must find one. Without it, `pool`.
   */
  readonly leasePool?: Pool;
  readonly custodian: CustodianMirrors;
  /** The event log, which is asked before anything is served. */
  readonly log: LogWitness;
  readonly clock: Clock;
  /** How long a process may go on with what it holds, in milliseconds. */
  readonly leaseMs: number;
  /** From the end of a seal to the destruction of the roots before it, in milliseconds; may be 0. */
  readonly epochWindowMs: number;
  /** From one planned seal to the next, in milliseconds: dates are planned by it, the caller's schedule decides. */
  readonly sealEveryMs: number;
  readonly home?: string;
  /** How long `start` waits for a log that is away before it goes on behind a closed gate, in milliseconds (20,000). */
  readonly logPatienceMs?: number;
  /** A drill: its log is older than what the custodian has seen, and that is no fault. */
  readonly olderLogExpected?: boolean;
  /** Called with what happens to the gate, to the right to write, and to work that nobody waits for; each once. */
  readonly notice?: Tell;
  /** Called when the gate refuses without a way out after the vault had been serving: the program ends and says why. */
  readonly onRefused: (refusal: GateRefusal) => void;
  /** Called when this vault has become the active one, or a standby, after the start. */
  readonly onStanding?: (standing: 'active' | 'standby') => void;
}
