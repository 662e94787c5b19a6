import { MakulerError } from '#kernel';
import type { PoolClient } from '#postgres';
import type { SequenceRow } from './active.js';
import { readSequence } from './active.js';

/** Called when the gate must close, with the reason. */
export type Interrupt = (why: string) => void;

/**
 * Keys that this process has handed out, by incarnation of the database, for as long as it runs: a database that knows fewer
 * was put back under the running vault, and is an earlier one.
 */
export class HandedOut {
  readonly #counts = new Map<string, number>();

  constructor(private readonly interrupt: Interrupt) {}

  get counts(): ReadonlyMap<string, number> {
    return this.#counts;
  }

  /** Only once the keys are committed: a batch that is rolled back was handed out to nobody. */
  note(incarnation: string, sequence: number): void {
    this.#counts.set(incarnation, Math.max(sequence, this.countOf(incarnation)));
  }

  /** Throws `vault-unavailable` and closes the gate when another vault has taken over, or the database is an earlier one. */
  async assertActive(client: PoolClient, token: string, incarnation: string): Promise<void> {
    // Asked before the row: what is minted while it is on its way need not stand in it.
    const atLeast = this.countOf(incarnation);
    this.#check(await readSequence(client, token), incarnation, atLeast);
  }

  /** Keys that were handed out under this incarnation: a database that counts fewer is an earlier one. */
  countOf(incarnation: string): number {
    return this.#counts.get(incarnation) ?? 0;
  }

  /** The count in a row that the caller has written itself. Throws as `assertActive`. */
  counted(row: SequenceRow | undefined, incarnation: string): number {
    return this.#check(row, incarnation, this.countOf(incarnation));
  }

  #check(row: SequenceRow | undefined, incarnation: string, atLeast: number): number {
    if (!row) {
      this.interrupt('another vault has taken over');
      throw new MakulerError('vault-unavailable', { detail: 'Another vault has taken over this database.' });
    }
    const sequence = Number(row.mint_sequence);
    if (row.incarnation === incarnation && sequence >= atLeast) return sequence;
    this.interrupt('the database is an earlier one than this vault has worked on');
    throw new MakulerError('vault-unavailable', { detail: 'The database is an earlier one.' });
  }
}
