import { AsyncLocalStorage } from 'node:async_hooks';

const PATIENCE_MS = 500;

/** Whom a call may be worth waiting for, and how long at most, in milliseconds. */
export interface Company {
  /** How many, as of now, are likely to ask soon. */
  readonly expected: () => number;
  readonly withinMs: number;
}
/** Fewer than so many are not waited for (as PostgreSQL's `commit_siblings`), nor the last tenth of all. */
const WORTH_WAITING = 5;
const LATE_SHARE = 1 / 10;

/**
 * Gathers what is asked for within one turn of the event loop, while enough calls are under way, or until the company that it is worth
 * waiting for has come, into one call. Each caller gets its own part of the reply; a failed call fails all that were in it. The call is made on behalf of the first of them, as logs
 * and traces see it.
 */
export class Coalescer<Item, Reply> {
  #waiting: { item: Item; settle: PromiseWithResolvers<Reply> }[] = [];
  #asFirst = AsyncLocalStorage.snapshot();
  #underWay = 0;
  #isDue = false;
  #waitingForOthers: NodeJS.Timeout | undefined;

  /**
   * `call` answers for all items, in their order. `atOnce`: calls under way at most, where one that has taken half a second counts no
   * more: a call that hangs holds those after it back for so long, and not until it is given up. `company`: who is waited for.
   */
  constructor(
    private readonly call: (items: readonly Item[]) => Promise<readonly Reply[]>,
    private readonly atOnce = Infinity,
    private readonly company: Company = { expected: () => 0, withinMs: 0 },
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
    if (this.#isWorthWaiting()) this.#waitingForOthers ??= setTimeout(() => this.#begin(), this.company.withinMs);
    else this.#begin();
  }

  #isWorthWaiting(): boolean {
    const expected = this.company.expected();
    return expected >= WORTH_WAITING && expected > LATE_SHARE * (expected + this.#waiting.length);
  }

  #begin(): void {
    clearTimeout(this.#waitingForOthers);
    this.#waitingForOthers = undefined;
    this.#isDue = true;
    setImmediate(() => void this.#flush());
  }

  async #flush(): Promise<void> {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#isDue = false;
    const over = this.#count();
    try {
      const replies = await this.#asFirst(
        this.call,
        waiting.map(({ item }) => item),
      );
      for (const [index, { settle }] of waiting.entries()) settle.resolve(replies[index]!);
    } catch (error) {
      for (const { settle } of waiting) settle.reject(error);
    } finally {
      over();
    }
  }

  /** Counts a call; what is returned ends that, and does so by itself after a while. */
  #count(): () => void {
    this.#underWay++;
    let counts = true;
    const over = () => {
      clearTimeout(timer);
      if (!counts) return;
      counts = false;
      this.#underWay--;
      this.#plan();
    };
    const timer = Number.isFinite(this.atOnce) ? setTimeout(over, PATIENCE_MS) : undefined;
    return over;
  }
}
