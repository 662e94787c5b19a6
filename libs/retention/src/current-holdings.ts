import type { OwnerRef } from '#kernel';
import type { Day } from '#kernel';
import type { Ledger } from '#ledger';
import type { ProjectionStates } from '#projections';
import type { AssessedHolding, Holdings } from './holdings.js';
import { holdings } from './holdings.projection.js';

const PATIENCE_MS = 30_000;

/**
 * Holdings as of now: whoever decides what to shred waits until the rows have everything that stands in the log. Throws
 * `projection-behind` or `projection-failed`; nothing is ever destroyed on the word of rows that are behind.
 */
export class CurrentHoldings {
  constructor(
    private readonly ledger: Ledger,
    private readonly states: ProjectionStates,
    private readonly read: Holdings,
  ) {}

  async ofOwner(owner: OwnerRef, today: Day): Promise<readonly AssessedHolding[]> {
    await this.caughtUp();
    return this.read.ofOwner(owner, today);
  }

  /** The rows, once they have caught up. */
  async caughtUp(): Promise<Holdings> {
    await this.states.waitFor(holdings, await this.ledger.head(), PATIENCE_MS);
    return this.read;
  }
}
