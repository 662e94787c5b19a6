import type { OwnerRef } from '#kernel';

const keyOf = (owner: OwnerRef): string => `${owner.kind}:${owner.id}`;

/** Which owners' keys are being sealed under in this process, so that a fence can wait until nobody is at it any more. */
export class SealingSessions {
  readonly #underWay = new Map<string, Set<Promise<void>>>();

  /** Registers a session from before its keys are asked for until `work` is over, however it ends. */
  async run<T>(owners: readonly OwnerRef[], work: () => Promise<T>): Promise<T> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const keys = [...new Set(owners.map(keyOf))];
    for (const key of keys) this.#underWay.set(key, (this.#underWay.get(key) ?? new Set()).add(promise));
    try {
      return await work();
    } finally {
      for (const key of keys) {
        const sessions = this.#underWay.get(key);
        sessions?.delete(promise);
        if (sessions?.size === 0) this.#underWay.delete(key);
      }
      resolve();
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
