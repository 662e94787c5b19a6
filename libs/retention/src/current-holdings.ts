import { Injectable } from '@nestjs/common';
import type { Day, OwnerRef } from '#kernel';
import { Ledger } from '#ledger';
import { ProjectionStates } from '#projections';
import type { AssessedHolding } from './holdings.js';
import { Holdings } from './holdings.js';
import { holdings } from './holdings.projection.js';

const PATIENCE_MS = 30_000;

/**
 * Holdings as of now: whoever decides what to shred waits until the rows have everything that stands in the log. Throws
 * `projection-behind` or `projection-failed`; nothing is ever destroyed on the word of rows that are behind.
 */
@Injectable()
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
