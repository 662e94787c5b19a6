import type { Draft, EventType } from '#events';
import { EventRegistry } from '#events';
import type { ErrorCode, OwnerRef } from '#kernel';
import { type Clock, SystemClock } from '#kernel';
import type { AppendCommand, Appended, Decided, Decider, StreamName } from '#ledger';
import { EventStoreLedger } from '#ledger';
import { EventStoreDouble } from './event-store-double.js';
import { VaultDouble } from './vault-double.js';

/** Learns a type when it is first written, so that a spec need not list what it uses. */
class LearningRegistry extends EventRegistry {
  readonly #learnt = new Map<string, EventType>();
  constructor() {
    super([]);
  }
  learn(drafts: readonly Draft<any>[]): void {
    for (const { event } of drafts) this.#learnt.set(event.type, event);
  }
  override get(type: string): EventType | undefined {
    return this.#learnt.get(type);
  }
}

/** The real ledger over an event store and a vault in memory: same planning, sealing, opening and deciding, no servers. */
export class LedgerDouble extends EventStoreLedger {
  readonly #registry: LearningRegistry;
  readonly vault: VaultDouble;
  /** The events as they stand, sealed. */
  readonly store: EventStoreDouble;

  constructor(clock: Clock = new SystemClock(), policyVersion = 'test') {
    const registry = new LearningRegistry();
    const vault = new VaultDouble();
    const store = new EventStoreDouble();
    super({ store, vault, registry, clock, policyVersion: () => policyVersion });
    this.#registry = registry;
    this.vault = vault;
    this.store = store;
  }

  get fault(): ErrorCode | undefined {
    return this.vault.fault;
  }
  set fault(code: ErrorCode | undefined) {
    this.vault.fault = code;
  }

  /** Destroys keys, of one owner and category or as many as are named. Gives how many. */
  shred(owner: OwnerRef, category?: string, partition?: string): number {
    return this.vault.shred(owner, category, partition);
  }

  override append(command: AppendCommand): Promise<Appended> {
    this.#registry.learn(command.drafts);
    return super.append(command);
  }

  override decide<S>(
    decider: Decider<S>,
    stream: StreamName,
    decision: (state: S) => readonly Draft<any>[],
  ): Promise<Decided<S>> {
    return super.decide(decider, stream, (state) => {
      const drafts = decision(state);
      this.#registry.learn(drafts);
      return drafts;
    });
  }
}
