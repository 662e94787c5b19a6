import { isMakulerError } from '#kernel';
import type { Pool } from '#postgres';
import type { LossReport } from '../recovery-contract.js';
import type { Write } from './active.js';
import { acceptedBefore, acceptLosses } from './loss-acceptance.js';
import type { BucketKeyring } from './keyring.js';
import type { Closed } from './losses.js';
import { assertAgreed, assess } from './losses.js';
import type { Recorded, Unrecorded } from './reapplied.js';
import { noteRecorded, readUnrecorded } from './reapplied.js';

/** What the keeper lends to the operations that lead out of a closed gate. */
export interface Lent {
  readonly pool: Pool;
  /** Runs `work` behind the closed gate, with the right to write. Throws `nothing-lost` while the gate is open. */
  whileClosed<T>(work: (closed: Closed) => Promise<T>): Promise<T>;
  /** Reconciles anew, unless the gate is open. Resolves with the next verdict, whatever it is. */
  reconcile(): Promise<void>;
  /** Throw `vault-unavailable` while the gate is closed. */
  keyring(): BucketKeyring;
  write(): Write;
}

/** What leads out of a closed gate, and what is told once it is open; see `VaultRecovery` for what each promises. */
export class Recovery {
  constructor(private readonly lent: Lent) {}

  async losses(): Promise<LossReport> {
    return (await this.lent.whileClosed(assess)).report;
  }

  async acceptLosses(hash: string): Promise<LossReport> {
    const report = await this.#accept(hash).catch(async (error: unknown) => {
      // Asked only now: what was accepted once may be lost again, by a copy from after it, and is then accepted again.
      const accepted = isMakulerError(error, 'nothing-lost') ? await acceptedBefore(this.lent.pool, hash) : undefined;
      if (!accepted) throw error;
      return accepted;
    });
    // Also when it was accepted before: the start that was to follow may have been cut off.
    await this.lent.reconcile();
    return report;
  }

  #accept(hash: string): Promise<LossReport> {
    return this.lent.whileClosed(async (closed) => {
      const losses = await assess(closed);
      assertAgreed(losses, hash);
      await acceptLosses(closed, losses);
      return losses.report;
    });
  }

  async reapplied(): Promise<Unrecorded> {
    return readUnrecorded(this.lent.pool, this.lent.keyring());
  }
  async recorded(done: Recorded): Promise<void> {
    await this.lent.write()((client) => noteRecorded(client, done));
  }
}
