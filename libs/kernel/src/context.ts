import { AsyncLocalStorage } from 'node:async_hooks';
import { createHmac } from 'node:crypto';
import type { ActorId } from './ids.js';
import { idFrom, newId } from './ids.js';

export type Role =
  'integrator' | 'service-desk' | 'analyst' | 'compliance' | 'approver' | 'auditor' | 'operator' | 'system';

/** Hands out the ids of one command. With a reserved seed a retry draws the same ids, in the same order. */
export interface IdSource {
  next<T extends string>(): T;
  /** A source of its own for one part of the command, so that parts can draw as many as they need without moving the others. */
  fork(): IdSource;
}

/**
 * Random ids that a retry draws again: UUIDv7 text from the day of the reservation and HMAC(seed, n), where the seed
 * is 32 random bytes kept in the idempotency record until the command is finished. Nothing of the input goes in.
 */
export class ReservedIds implements IdSource {
  #drawn = 0;
  constructor(
    private readonly seed: Uint8Array,
    private readonly reservedAtMs: number,
  ) {}
  next<T extends string>(): T {
    const random = createHmac('sha256', this.seed).update(String(this.#drawn++)).digest();
    return idFrom<T>(random, this.reservedAtMs);
  }
  fork(): IdSource {
    const seed = createHmac('sha256', this.seed).update(`fork ${this.#drawn++}`).digest();
    return new ReservedIds(seed, this.reservedAtMs);
  }
}

export class RandomIds implements IdSource {
  next<T extends string>(): T {
    return newId<T>();
  }
  fork(): IdSource {
    return this;
  }
}

/** Who does what, why, and as part of which conversation. Goes into the metadata of every event; holds no personal value. */
export interface CommandContext {
  readonly actor: ActorId;
  readonly roles: readonly Role[];
  /** Purpose id of the policy, e.g. `avtale`. Absent only where nothing personal is touched. */
  readonly purpose?: string;
  readonly ids: IdSource;
  /** Everything is judged and nothing is written: the ledger stops before it asks the vault for keys. */
  readonly dryRun?: boolean;
}

const storage = new AsyncLocalStorage<CommandContext>();

/** Runs `work` as part of a command; everything it appends carries this context. */
export const inContext = <T>(context: CommandContext, work: () => Promise<T>): Promise<T> => storage.run(context, work);

/** The context of the command under way. Throws outside of one: nothing is appended by nobody. */
export const currentContext = (): CommandContext => {
  const context = storage.getStore();
  if (!context) throw new Error('no command context: wrap the work in inContext()');
  return context;
};

/** The context in which the system itself acts (sweeps, process managers). */
export const systemContext = (actor: ActorId, purpose?: string): CommandContext => ({
  actor,
  roles: ['system'],
  ids: new RandomIds(),
  ...(purpose === undefined ? {} : { purpose }),
});
