/**
 * Gathers what is asked for within one turn of the event loop into one call. Each caller gets its own part of the reply;
 * a failed call fails all that were in it.
 */
export class Coalescer<Item, Reply> {
  #waiting: { item: Item; settle: PromiseWithResolvers<Reply> }[] = [];

  /** `call` answers for all items, in their order. */
  constructor(private readonly call: (items: readonly Item[]) => Promise<readonly Reply[]>) {}

  ask(item: Item): Promise<Reply> {
    const settle = Promise.withResolvers<Reply>();
    this.#waiting.push({ item, settle });
    if (this.#waiting.length === 1) setImmediate(() => void this.#flush());
    return settle.promise;
  }

  async #flush(): Promise<void> {
    const waiting = this.#waiting;
    this.#waiting = [];
    try {
      const replies = await this.call(waiting.map(({ item }) => item));
      for (const [index, { settle }] of waiting.entries()) settle.resolve(replies[index]!);
    } catch (error) {
      for (const { settle } of waiting) settle.reject(error);
    }
  }
}
