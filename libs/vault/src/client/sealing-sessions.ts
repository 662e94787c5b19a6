import type { OwnerRef } from '#kernel';

const keyOf = (owner: OwnerRef): string => `${owner.kind}:${owner.id}`;

/** Which owners' keys are being sealed under in this process, so that a fence can wait until nobody is at it any more. */
export class SealingSessions {
  readonly #underWay = new Map<string, Set<Promise<void>>>();

  /**
   * Registers a session from before its keys are asked for until `work` is over, however it ends; and for `stayMs` longer, of an
   * error after which what was sealed may still be on its way.
   */
  async run<T>(
    owners: readonly OwnerRef[],
    work: () => Promise<T>,
    stayMs: (error: unknown) => number = () => 0,
  ): Promise<T> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const keys = [...new Set(owners.map(keyOf))];
    for (const key of keys) this.#underWay.set(key, (this.#underWay.get(key) ?? new Set()).add(promise));
    const end = () => {
      for (const key of keys) {
        const sessions = this.#underWay.get(key);
        sessions?.delete(promise);
        if (sessions?.size === 0) this.#underWay.delete(key);
      }
      resolve();
    };
    try {
      const result = await work();
      end();
      return result;
    } catch (error) {
      const ms = stayMs(error);
      if (ms > 0) setTimeout(end, ms).unref();
      else end();
      throw error;
    }
  }

  /** Whether none is under way. */
  get idle(): boolean {
    return this.#underWay.size === 0;
  }

  /** Resolves when every session that is under way now is over; later ones are refused by the vault and not waited for. */
  async quiet(owner: OwnerRef): Promise<void> {
    await Promise.all(this.#underWay.get(keyOf(owner)) ?? new Set<Promise<void>>());
  }
}
