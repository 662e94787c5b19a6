import type { Day, ScopeId, WithheldReason } from '#kernel';

/** Whether a scope's fields may be shown to a reader with the purpose stated: `open`, or why they are withheld. */
export type ReadingState = 'open' | WithheldReason;

/**
 * The rules of retention at the moment of reading. Every query asks before it reveals a personal field: a field past its
 * maximum is withheld (`expired`) at once, whether or not the sweep has shredded it; one that only a law keeps
 * (`retained`) opens for the purpose that forces us to keep it, and for no other; a restricted one (GDPR art. 18) for none.
 *
 * A scope that the holdings do not show yet was written a moment ago, so it is `open`; one that was shredded has no key,
 * so what is said about it here does not matter. Throws when the holdings can't be asked: an outage never reads as `open`.
 */
export abstract class ReadingRules {
  /** @param today calendar day in Europe/Oslo @returns an entry for every scope asked for */
  abstract statesOf(
    scopeIds: Iterable<ScopeId>,
    purpose: string,
    today: Day,
  ): Promise<ReadonlyMap<ScopeId, ReadingState>>;
}
