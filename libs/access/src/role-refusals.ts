import type { ActorId, Clock, Role } from '#kernel';
import { inContext, newId, RandomIds } from '#kernel';
import type { Ledger } from '#ledger';
import { RoleRefused } from './access.events.js';

/** A call that the roles of a token do not reach. */
export interface RoleRefusal {
  readonly tokenId: string;
  readonly actor: ActorId;
  readonly roles: readonly Role[];
  readonly method: string;
  /** Template of the route, e.g. `/v1/customers/:id`. */
  readonly route: string;
}

/** Within so long, one token's attempts at one route make one event, and one more with the number of those that followed. */
export const REFUSAL_WINDOW_MS = 60_000;

interface Window {
  readonly refusal: RoleRefusal;
  startedMs: number;
  unrecorded: number;
}

/**
 * Writes down attempts beyond a token's roles, without letting a flood of them fill the log: the first at once, what
 * follows as a number, when the minute is over. Only good tokens and real routes get here, so there are few windows.
 */
export class RoleRefusals {
  readonly #windows = new Map<string, Window>();

  constructor(
    private readonly ledger: Ledger,
    private readonly clock: Clock,
  ) {}

  /** Never throws for the log's sake: what can't be written now is counted and written by a later `flush`. */
  async record(refusal: RoleRefusal): Promise<void> {
    const key = `${refusal.tokenId} ${refusal.method} ${refusal.route}`;
    const known = this.#windows.get(key);
    if (known) {
      known.unrecorded++;
      return;
    }
    // In its place before the append is awaited: others of the same moment are counted, not written.
    const window = { refusal, startedMs: this.clock.monotonicMs(), unrecorded: 1 };
    this.#windows.set(key, window);
    await this.#write(window).catch(() => undefined);
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
    const { actor, roles, method, route } = window.refusal;
    const attempts = window.unrecorded;
    // Taken before the append is awaited: nobody else writes the same ones.
    window.unrecorded = 0;
    window.startedMs = this.clock.monotonicMs();
    try {
      await inContext({ actor, roles, ids: new RandomIds() }, () =>
        this.ledger.append({
          stream: `access-${newId()}`,
          expected: 'no-stream',
          drafts: [RoleRefused.of({ method, route, attempts })],
        }),
      );
    } catch (error) {
      window.unrecorded += attempts;
      throw error;
    }
  }
}
