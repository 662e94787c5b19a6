import { inspect } from 'node:util';

/**
 * A personal value in memory. It prints, serialises and logs as `[personal]`; `reveal()` is the only way to the value,
 * so that a search for it finds every place where one leaves the program.
 */
export class Personal<T> {
  readonly state = 'value' as const;
  readonly #value: T;
  constructor(value: T) {
    this.#value = value;
  }
  reveal(): T {
    return this.#value;
  }
  toString(): string {
    return '[personal]';
  }
  toJSON(): string {
    return '[personal]';
  }
  [inspect.custom](): string {
    return '[personal]';
  }
}

/** The scope was shredded: nobody can read it again. */
export interface Erased {
  readonly state: 'erased';
}
export type WithheldReason = 'retained' | 'restricted' | 'expired' | 'not-allowed';
/** It exists, but this reader may not have it now. */
export interface Withheld {
  readonly state: 'withheld';
  readonly reason: WithheldReason;
}
/** Lost in an accepted disaster: never to be confused with erased. */
export interface Lost {
  readonly state: 'lost';
}

export const ERASED: Erased = Object.freeze({ state: 'erased' });
export const LOST: Lost = Object.freeze({ state: 'lost' });
export const withheld = (reason: WithheldReason): Withheld => Object.freeze({ state: 'withheld', reason });

/**
 * What reading a personal field can give. An outage, an unknown key or a damaged block is none of these: it throws,
 * because a failure that looked like `erased` would become silent, permanent data loss in every read model.
 */
export type Opened<T> = Personal<T> | Erased | Withheld | Lost;

/** The value, or `undefined` when it is erased, withheld or lost. For decisions that treat all three alike. */
export const valueOf = <T>(opened: Opened<T> | undefined): T | undefined =>
  opened?.state === 'value' ? opened.reveal() : undefined;
