import type { RecordedEvent } from '#ledger';
import { HandlerFailure } from './failures.js';
import type { Effects } from './projection.js';

/** Statements that were sent for events and whose answers are not there yet. The connection runs them in this order. */
export class Sent {
  #waiting: { readonly event: RecordedEvent; readonly outcome: Promise<{ readonly error: unknown } | undefined> }[] =
    [];

  /** Sends what a handler gave back. */
  add(event: RecordedEvent, effects: Effects): void {
    if (!effects) return;
    for (const query of Array.isArray(effects) ? effects : [effects]) {
      const outcome = query.execute().then(
        () => undefined,
        (error: unknown) => ({ error }),
      );
      this.#waiting.push({ event, outcome });
    }
  }

  /**
   * Waits for all of them. Throws HandlerFailure with the event of the first that failed: those after it fail for no reason
   * of their own, because the transaction is lost.
   */
  async settled(): Promise<void> {
    const waiting = this.#waiting;
    this.#waiting = [];
    let failure: HandlerFailure | undefined;
    for (const { event, outcome } of waiting) {
      const failed = await outcome;
      if (failed) failure ??= new HandlerFailure(event, failed.error);
    }
    if (failure) throw failure;
  }
}
