import { AsyncLocalStorage } from 'node:async_hooks';

/**
 * Gathers what is asked for within one turn of the event loop, or while enough calls are under way, into one call. Each caller
 * gets its own part of the reply; a failed call fails all that were in it. The call is made on behalf of the first of them, as logs
 * and traces see it.
 */
export class Coalescer<Item, Reply> {
  #waiting: { item: Item; settle: PromiseWithResolvers<Reply> }[] = [];
  #asFirst = AsyncLocalStorage.snapshot();
  #underWay = 0;
  #isDue = false;

  /** `call` answers for all items, in their order. `atOnce`: calls under way at most. */
  constructor(
    private readonly call: (items: readonly Item[]) => Promise<readonly Reply[]>,
    private readonly atOnce = Infinity,
  ) {}

  ask(item: Item): Promise<Reply> {
    const settle = Promise.withResolvers<Reply>();
    if (this.#waiting.length === 0) this.#asFirst = AsyncLocalStorage.snapshot();
    this.#waiting.push({ item, settle });
    this.#plan();
    return settle.promise;
  }

  #plan(): void {
    if (this.#isDue || this.#waiting.length === 0 || this.#underWay >= this.atOnce) return;
    this.#isDue = true;
    setImmediate(() => void this.#flush());
  }

  async #flush(): Promise<void> {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#isDue = false;
    this.#underWay++;
    try {
      const replies = await this.#asFirst(
        this.call,
        waiting.map(({ item }) => item),
      );
      for (const [index, { settle }] of waiting.entries()) settle.resolve(replies[index]!);
    } catch (error) {
      for (const { settle } of waiting) settle.reject(error);
    } finally {
      this.#underWay--;
      this.#plan();
    }
  }
}
