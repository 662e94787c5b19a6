import type { Category } from '#events';
import { newId } from '#kernel';
import type { Ledger } from '#ledger';
import { AccessRefused } from './access.events.js';

/** An attempt that the policy does not allow. */
export interface Refusal {
  readonly route: string;
  /** Only an id that the policy knows: what a caller typed may be anything, a name included. */
  readonly statedPurpose: string | null;
  readonly categories: readonly Category[];
  readonly mode: 'read' | 'write';
}

/** Writes down attempts to read or write personal data without the purpose for it, each in a stream of its own. */
export class Refusals {
  constructor(private readonly ledger: Ledger) {}

  /** Runs inside `inContext`; the actor stands in the metadata. Throws `store-unavailable`. */
  async record(refusal: Refusal): Promise<void> {
    await this.ledger.append({
      stream: `access-${newId()}`,
      expected: 'no-stream',
      drafts: [AccessRefused.of(refusal)],
    });
  }
}
