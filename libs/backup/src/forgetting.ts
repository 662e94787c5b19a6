import { ScopeExpired, SubjectErased } from '#events';
import type { ScopeId } from '#kernel';
import type { StoredEvent } from '#ledger';

type Counts = Map<string, number>;
const add = (counts: Counts, category: string, count: number): void =>
  void counts.set(category, (counts.get(category) ?? 0) + count);

/** Keys of shredded blocks, and what says that they were destroyed. */
export interface Explained {
  readonly shredded: number;
  readonly forgotten: number;
  readonly duringBackup: number;
  readonly since: number;
  readonly unexplained: number;
}

/**
 * Holds what the log says was forgotten against what does not open. Which keys were a person's can't be told any more, in the
 * log as little as in the vault; so they are compared as counts by category.
 */
export class Forgetting {
  readonly #named: Counts = new Map();
  readonly #gone = new Map<ScopeId, string>();
  /** Blocks that opened, by stream, until its person is said to be erased. */
  readonly #alive = new Map<string, Counts>();
  #risen = 0;

  /** A block that opened. Only a person's own stream says in clear whose it is. */
  opened(stream: string, category: string): void {
    if (!/^(customer|company)-/.test(stream)) return;
    const counts = this.#alive.get(stream) ?? new Map<string, number>();
    this.#alive.set(stream, counts);
    add(counts, category, 1);
  }

  shredded(scopeId: ScopeId, category: string): void {
    this.#gone.set(scopeId, category);
  }

  /** An event, after its blocks: what was sealed before a person was erased must not open, but for what the plan kept. */
  heard({ type, stream, data }: StoredEvent): void {
    if (type === ScopeExpired.type) add(this.#named, data['category'] as string, data['count'] as number);
    if (type !== SubjectErased.type) return;
    const retained = new Set(data['retained'] as readonly string[]);
    for (const [category, count] of Object.entries(data['categories'] as Record<string, number>)) {
      add(this.#named, category, count);
      if (!retained.has(category)) this.#risen += this.#alive.get(stream)?.get(category) ?? 0;
    }
    this.#alive.delete(stream);
  }

  /** Blocks that opened although the log says that they were erased. */
  risen(): number {
    return this.#risen;
  }

  /**
   * `receipts`: keys that the vault had destroyed when the set was taken, by category; more than the log names when something
   * was destroyed while the set was written. `applied`: keys that were destroyed since, which no receipt of it knows.
   */
  explain(receipts: ReadonlyMap<string, number>, applied: number): Explained {
    const gone: Counts = new Map();
    for (const category of this.#gone.values()) add(gone, category, 1);
    let [forgotten, duringBackup, rest] = [0, 0, 0];
    for (const [category, count] of gone) {
      const named = Math.min(count, this.#named.get(category) ?? 0);
      const known = Math.min(
        count - named,
        Math.max(0, (receipts.get(category) ?? 0) - (this.#named.get(category) ?? 0)),
      );
      forgotten += named;
      duringBackup += known;
      rest += count - named - known;
    }
    const since = Math.min(rest, applied);
    return { shredded: this.#gone.size, forgotten, duringBackup, since, unexplained: rest - since };
  }
}
