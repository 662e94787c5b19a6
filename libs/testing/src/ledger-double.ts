import type { Draft, EventType, Fields } from '#events';
import { CATEGORIES, OWN } from '#events';
import type { ErrorCode, EventId, Opened, OwnerRef, ScopeId } from '#kernel';
import { ERASED, LOST, MakulerError, Personal, currentContext, newId } from '#kernel';
import type { AppendCommand, Batch, Decider, Envelope, OpenedEnvelope, RecordedEvent, ScopeOutcome } from '#ledger';
import { Ledger } from '#ledger';

interface ToyScope {
  readonly owner: OwnerRef;
  readonly category: string;
  readonly partition: string;
  state: ScopeOutcome['state'];
}
interface Block {
  readonly slot: string;
  readonly category: string;
  readonly values: Record<string, unknown>;
}
type Stored = Omit<RecordedEvent, 'data' | 'scopes'> & {
  readonly declared: EventType;
  readonly clear: Record<string, unknown>;
};

/** A ledger in memory with a toy vault: blocks are only encoded, and a shredded scope is one that it refuses to decode. */
export class LedgerDouble extends Ledger {
  readonly #events: Stored[] = [];
  readonly #types = new Map<string, EventType>();
  readonly #scopes = new Map<ScopeId, ToyScope>();
  readonly #scopeIds = new Map<string, ScopeId>();
  #wake = new Set<() => void>();
  /** While set, nothing can be opened or asked for: the vault is away, or worse. */
  fault: ErrorCode | undefined;

  /** Destroys keys, of one owner and category or as many as are named. Gives how many. */
  shred(owner: OwnerRef, category?: string, partition?: string): number {
    const found = [...this.#scopes.values()].filter(
      (scope) =>
        scope.owner.id === owner.id &&
        (category === undefined || scope.category === category) &&
        (partition === undefined || scope.partition === partition) &&
        scope.state === 'live',
    );
    for (const scope of found) scope.state = 'shredded';
    return found.length;
  }

  append({ stream, expected, drafts }: AppendCommand) {
    const revision = BigInt(this.#events.filter((event) => event.stream === stream).length) - 1n;
    if (expected !== 'any' && revision !== (expected === 'no-stream' ? -1n : expected))
      throw new MakulerError('conflict');
    const stored = drafts.map((draft, i) => this.#store(draft, stream, revision + 1n + BigInt(i)));
    this.#events.push(...stored);
    for (const wake of this.#wake) wake();
    return Promise.resolve({ position: this.#head(), revision: revision + BigInt(drafts.length) });
  }

  async decide<S>(decider: Decider<S>, stream: string, decision: (state: S) => readonly Draft<any>[]) {
    const { state, revision } = await this.load(decider, stream);
    const drafts = decision(state);
    const expected = revision ?? 'no-stream';
    const appended =
      drafts.length > 0
        ? await this.append({ stream, expected, drafts })
        : { position: this.#head(), revision: revision ?? -1n };
    const after = await this.load(decider, stream);
    return { ...appended, state: after.state, written: drafts.length, replayed: false };
  }

  async load<S>(decider: Decider<S>, stream: string) {
    const events = await this.read(stream);
    const state = events.reduce((s, event) => decider.evolve(s, event), decider.initial);
    return { state, revision: events.at(-1)?.revision, position: events.at(-1)?.position };
  }

  read(stream: string) {
    return Promise.resolve(this.#events.filter((event) => event.stream === stream).map((event) => this.#opened(event)));
  }

  async open(envelopes: readonly Envelope[]): Promise<readonly OpenedEnvelope[]> {
    return Promise.resolve(envelopes.map((envelope) => this.#openEnvelope(envelope)));
  }

  async scopeStates(scopeIds: readonly ScopeId[]) {
    return Promise.resolve(new Map(scopeIds.map((id) => [id, this.#scope(id).state])));
  }

  async *subscribe({
    after = 0n,
    maxBatch = 500,
    signal,
  }: {
    after?: bigint;
    maxBatch?: number;
    signal?: AbortSignal;
  }): AsyncIterable<Batch> {
    for (let next = Number(after); !signal?.aborted;) {
      const found = this.#events.slice(next, next + maxBatch);
      next += found.length;
      const live = next === this.#events.length;
      yield { events: found.map((event) => this.#opened(event)), position: BigInt(next), live };
      if (live && !signal?.aborted) await this.#more(next, signal);
    }
  }

  head() {
    return Promise.resolve(this.#head());
  }
  reading<T>(work: () => Promise<T>) {
    return work();
  }
  assertCurrent(): void {}
  close() {
    return Promise.resolve();
  }

  /** Positions are 1, 2, 3 …: how many events there are. */
  #head = () => BigInt(this.#events.length);

  #more(from: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        if (this.#events.length === from && !signal?.aborted) return;
        this.#wake.delete(done);
        resolve();
      };
      this.#wake.add(done);
      signal?.addEventListener('abort', done, { once: true });
      done();
    });
  }

  #store(draft: Draft<any>, stream: string, revision: bigint): Stored {
    const declared: EventType = draft.event;
    this.#types.set(declared.type, declared);
    const clear: Record<string, unknown> = {};
    const blocks = new Map<ScopeId, Block>();
    for (const [name, field] of Object.entries(declared.fields)) {
      const value = (draft.data as Record<string, unknown>)[name];
      if (field.kind === 'plain' || field.kind === 'subject') clear[name] = value;
      else if (value !== null && value !== undefined) {
        const scopeId = this.#mint(draft, field.owner, field.category, stream);
        const block = blocks.get(scopeId) ?? { slot: field.owner, category: field.category, values: {} };
        block.values[name] = value;
        blocks.set(scopeId, block);
      }
    }
    const eventId = newId<EventId>();
    const sealed = Object.fromEntries(
      [...blocks].map(([id, b]) => [id, Buffer.from(JSON.stringify(b)).toString('base64')]),
    );
    const { actor } = currentContext();
    const recordedAt = new Date(Date.UTC(2026, 0, 1) + this.#events.length * 1000);
    return {
      eventId,
      type: declared.type,
      stream,
      revision,
      position: this.#head() + 1n + revision - BigInt(this.#events.filter((e) => e.stream === stream).length),
      at: recordedAt,
      metadata: {
        schemaVersion: declared.version,
        recordedAt: recordedAt.toISOString(),
        actor,
        policyVersion: 'test',
        $correlationId: eventId,
        $causationId: eventId,
      },
      envelope: { eventId, type: declared.type, version: declared.version, stream, sealed },
      declared,
      clear,
    };
  }

  #mint(draft: Draft<any>, slot: string, category: keyof typeof CATEGORIES, stream: string): ScopeId {
    const ofStream = stream.slice(stream.indexOf('-') + 1);
    const own = { kind: stream.startsWith('company-') ? 'company' : 'subject', id: ofStream } as OwnerRef;
    const owner = slot === OWN ? own : draft.owners?.[slot];
    if (!owner) throw new Error(`${draft.event.type}: slot ${slot} has no owner`);
    const partitions = { none: '', stream: ofStream, given: draft.partitions?.[category] ?? '' };
    const partition = partitions[CATEGORIES[category]];
    const key = [owner.id, category, partition, stream].join();
    const scopeId = this.#scopeIds.get(key) ?? newId<ScopeId>();
    if (this.#scopes.get(scopeId)?.state === 'shredded') throw new MakulerError('scope-shredded');
    this.#scopeIds.set(key, scopeId);
    this.#scopes.set(scopeId, { owner, category, partition, state: 'live' });
    return scopeId;
  }

  #scope(id: ScopeId): ToyScope {
    if (this.fault) throw new MakulerError(this.fault);
    const scope = this.#scopes.get(id);
    if (!scope) throw new MakulerError('scope-unknown');
    return scope;
  }

  #opened({ declared, clear, ...event }: Stored): RecordedEvent {
    const { fields, scopes } = this.#openEnvelope(event.envelope);
    return { ...event, data: { ...clear, ...fields } as RecordedEvent<Fields>['data'], scopes };
  }

  #openEnvelope({ sealed, type }: Envelope): OpenedEnvelope {
    const fields: Record<string, Opened<unknown>> = {};
    for (const [name, { kind }] of Object.entries(this.#types.get(type)?.fields ?? {}))
      if (kind === 'personal' || kind === 'reference') fields[name] = new Personal(null);
    const scopes = Object.entries(sealed).map(([id, text]): ScopeOutcome => {
      const { slot, category, values } = JSON.parse(Buffer.from(text, 'base64').toString()) as Block;
      const { state, owner, partition } = this.#scope(id as ScopeId);
      for (const [name, value] of Object.entries(values))
        fields[name] = state === 'live' ? new Personal(value) : state === 'lost' ? LOST : ERASED;
      return { scopeId: id as ScopeId, slot, category, state, ...(state === 'live' ? { owner, partition } : {}) };
    });
    return { fields, scopes };
  }
}
