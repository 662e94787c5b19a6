import type { Category, Draft } from '#events';
import type { Clock, OwnerRef } from '#kernel';
import { isMakulerError, osloDay } from '#kernel';
import type { Ledger } from '#ledger';
import { PersonalDataRead } from './access.events.js';

/** What was read, for the traces. */
export interface Reading {
  readonly about: readonly OwnerRef[];
  /** Template of the route, e.g. `/v1/customers/:id`. */
  readonly route: string;
  readonly categories: readonly Category[];
}

/**
 * Writes down who read whose data, before the answer leaves: what can't be traced is not answered. All of a month's traces
 * stand in one stream, `trace-2026-11`, so that each person's key of the month stands in that stream only and appends
 * never conflict (docs/decisions/0003-traces.md).
 */
export class Traces {
  constructor(
    private readonly ledger: Ledger,
    private readonly clock: Clock,
  ) {}

  /** Runs inside `inContext`. A look-up that found nobody leaves a trace too. Throws `vault-unavailable`, `store-unavailable`. */
  async record(reading: Reading): Promise<void> {
    const month = osloDay(this.clock.now()).slice(0, 7);
    const owners = [...new Map(reading.about.map((owner) => [`${owner.kind} ${owner.id}`, owner])).values()];
    const drafts = owners.map((owner) => draftOf(reading, month, owner));
    try {
      await this.#append(month, drafts.length > 0 ? drafts : [draftOf(reading, month, undefined)]);
    } catch (error) {
      if (!isClosed(error)) throw error;
      // One of them is being erased or is gone: no key is ever made for them, so their trace stands without the person.
      for (const draft of drafts) await this.#appendOrAnonymous(reading, month, draft);
    }
  }

  async #appendOrAnonymous(reading: Reading, month: string, draft: Draft): Promise<void> {
    try {
      await this.#append(month, [draft]);
    } catch (error) {
      if (!isClosed(error)) throw error;
      await this.#append(month, [draftOf(reading, month, undefined)]);
    }
  }

  async #append(month: string, drafts: readonly Draft<any>[]): Promise<void> {
    await this.ledger.append({ stream: `trace-${month}`, expected: 'any', drafts });
  }
}

const isClosed = (error: unknown): boolean =>
  isMakulerError(error, 'subject-closed') || isMakulerError(error, 'scope-shredded');

const draftOf = ({ route, categories }: Reading, month: string, owner: OwnerRef | undefined): Draft<any> =>
  PersonalDataRead.of(
    { person: owner?.id ?? null, ownerKind: owner?.kind ?? null, route, categories },
    owner ? { owners: { person: owner }, partitions: { trace: month } } : {},
  );
