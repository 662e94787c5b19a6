import type { EventType, Fields } from '#events';
import type { RecordedEvent } from '#ledger';

/**
 * Reacts to an event by enqueueing a job or issuing a command. It may be called again for the same event after a crash, so
 * what it does is idempotent (a job id or idempotency key taken from the event id).
 */
export type Reaction<F extends Fields = Fields> = (event: RecordedEvent<F>) => Promise<unknown>;

/** A durable reaction to events, with a checkpoint of its own; at least once, in the order of the log. Made by `process()`. */
export class Process {
  readonly kind = 'process';
  /** @internal use `process()` */
  constructor(
    readonly name: string,
    private readonly reactions: ReadonlyMap<string, Reaction<any>>,
  ) {}

  /** Says what one event sets off. */
  on<F extends Fields>(type: EventType<F>, reaction: Reaction<F>): Process {
    if (this.reactions.has(type.type)) throw new Error(`${this.name} reacts to ${type.type} twice`);
    return new Process(this.name, new Map(this.reactions).set(type.type, reaction));
  }

  /** @internal */
  reactionTo(type: string): Reaction<any> | undefined {
    return this.reactions.get(type);
  }
}

/** Declares a process manager. A new one begins at the start of the log. */
export const process = (name: string): Process => {
  if (!/^[a-z][a-z_]{1,40}$/.test(name))
    throw new Error(`"${name}" cannot name a process: lower-case letters and underscores`);
  return new Process(name, new Map());
};
