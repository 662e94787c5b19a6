import type { Category, Draft } from '#events';
import type { ActorId, Clock, Role } from '#kernel';
import { inContext, newId, RandomIds } from '#kernel';
import type { Ledger } from '#ledger';
import { AccessRefused, RoleRefused } from './access.events.js';

/** Whoever was refused: ids and codes, as the token says. */
export interface Refused {
  readonly tokenId: string;
  readonly actorId: ActorId;
  readonly roles: readonly Role[];
}

/** What was tried. Routes are templates, e.g. `/v1/customers/:id`. */
export type Refusal =
  | { readonly beyond: 'role'; readonly method: string; readonly route: string }
  | {
      readonly beyond: 'purpose';
      readonly route: string;
      /** Only an id that the policy knows: what a caller typed may be anything, a name included. */
      readonly statedPurpose: string | null;
      readonly categories: readonly Category[];
      readonly mode: 'read' | 'write';
    };

/** Within so long, one token's attempts at one thing make one event, and one more with the number of those that followed. */
export const REFUSAL_WINDOW_MS = 60_000;

interface Window {
  readonly by: Refused;
  readonly refusal: Refusal;
  startedMs: number;
  unrecorded: number;
}

/**
 * Writes down attempts beyond a token's roles or its purpose, without letting a flood of them fill the log: the first at
 * once, what follows as a number, when the minute is over. Only good tokens, real routes and purposes of the policy get
 * here, so there are few windows.
 */
export class Refusals {
  readonly #windows = new Map<string, Window>();

  constructor(
    private readonly ledger: Ledger,
    private readonly clock: Clock,
  ) {}

  /** Throws `store-unavailable` where the first attempt can't be written now; it is counted then, and written by a later `flush`. */
  async record({ tokenId, actorId, roles }: Refused, refusal: Refusal): Promise<void> {
    const key = JSON.stringify([tokenId, roles, draftOf(refusal, 0).data]);
    const known = this.#windows.get(key);
    if (known) {
      known.unrecorded++;
      return;
    }
    // In its place before the append is awaited: others of the same moment are counted, not written.
    const by = { tokenId, actorId, roles };
    const window = { by, refusal, startedMs: this.clock.monotonicMs(), unrecorded: 1 };
    this.#windows.set(key, window);
    await this.#write(window);
  }

  /** Writes what was counted in windows that are over, or in `all` of them. Throws `store-unavailable`; nothing is lost then. */
  async flush({ all = false } = {}): Promise<void> {
    const over = this.clock.monotonicMs() - REFUSAL_WINDOW_MS;
    for (const [key, window] of this.#windows) {
      if (!all && window.startedMs > over) continue;
      if (window.unrecorded === 0) this.#windows.delete(key);
      else await this.#write(window);
    }
  }

  async #write(window: Window): Promise<void> {
    const { actorId: actor, roles } = window.by;
    const attempts = window.unrecorded;
    // Taken before the append is awaited: nobody else writes the same ones.
    window.unrecorded = 0;
    window.startedMs = this.clock.monotonicMs();
    try {
      await inContext({ actor, roles, ids: new RandomIds() }, () =>
        this.ledger.append({
          stream: `access-${newId()}`,
          expected: 'no-stream',
          drafts: [draftOf(window.refusal, attempts)],
        }),
      );
    } catch (error) {
      window.unrecorded += attempts;
      throw error;
    }
  }
}

const draftOf = (refusal: Refusal, attempts: number): Draft<any> => {
  if (refusal.beyond === 'role') {
    const { method, route } = refusal;
    return RoleRefused.of({ method, route, attempts });
  }
  const { route, statedPurpose, categories, mode } = refusal;
  return AccessRefused.of({ route, statedPurpose, categories, mode, attempts });
};
