import { AsyncLocalStorage } from 'node:async_hooks';
import type { Draft, EventRegistry, EventType, Fields } from '#events';
import type { Clock, EventId, ScopeId } from '#kernel';
import { MakulerError, currentContext, inSpan } from '#kernel';
import type { SealingSession, Vault } from '#vault';
import type { EventStore, EventToStore, StoredEvent } from './event-store.js';
import { RevisionConflict } from './event-store.js';
import type { Batch, Decided, OpenedEnvelope, Opens, SubscribeOptions } from './ledger.js';
import { Ledger } from './ledger.js';
import { openFields } from './open-fields.js';
import { openEnvelopes, upcast } from './opening.js';
import { RecordedInstants } from './recorded-instants.js';
import type { PlannedEvent } from './sealing.js';
import { planEvent, sealEvent } from './sealing.js';
import type {
  AppendCommand,
  Appended,
  Decider,
  Envelope,
  EventMetadata,
  ExpectedRevision,
  Position,
  RecordedEvent,
  ScopeOutcome,
  StreamName,
} from './types.js';

export interface EventStoreLedgerOptions {
  readonly store: EventStore;
  readonly vault: Vault;
  readonly registry: EventRegistry;
  readonly clock: Clock;
  /** Version of the policy in force, for the metadata of each event. */
  readonly policyVersion: () => string;
  /** Told how long getting keys with sealing, and the append itself, took; for metrics. */
  readonly observe?: (what: 'seal' | 'append', seconds: number, error?: unknown) => void;
  /** How often a decision is made anew after a concurrent change. */
  readonly attempts?: number;
}

/** Share of the remaining lease that an append's server-side deadline leaves: no append may land after a fence was waited out. */
const LEASE_SHARE = 0.85;
const APPEND_DEADLINE_MS = 3_000;
const DEFAULT_BATCH = 500;
/** Batches of a subscription under way far from the end of the log: while one's keys are asked for, another is opened. */
const OPENED_AHEAD = 2;
/** What is looked for backwards mostly stands near the end; after that the pages grow. */
const FIRST_PAGE = 8;
const LAST_PAGE = 512;

const datedBy = ({ incarnation, mintSequence }: SealingSession): NonNullable<EventMetadata['vault']> =>
  mintSequence === undefined ? { incarnation } : { incarnation, mintSequence };

/** The ledger over an event store and a vault. */
export class EventStoreLedger extends Ledger {
  readonly #opened = new AsyncLocalStorage<Set<ScopeId>>();
  readonly #instants: RecordedInstants;

  constructor(private readonly options: EventStoreLedgerOptions) {
    super();
    this.#instants = new RecordedInstants(options.clock);
  }

  async append(command: AppendCommand): Promise<Appended> {
    const ids = currentContext().ids.fork();
    const stored = await this.#append(command, ids.next<EventId>(), () => ids.next<EventId>());
    const { position, revision } = stored.at(-1)!;
    return { position, revision };
  }

  async decide<S>(
    decider: Decider<S>,
    stream: StreamName,
    decision: (state: S) => readonly Draft[],
  ): Promise<Decided<S>> {
    // The ids are drawn once, before the first attempt: a retry of the command (same reserved ids) finds its first event
    // in the stream and knows that it was done, whatever the decision would say to the state that it led to.
    const source = currentContext().ids.fork();
    const correlation = source.next<EventId>();
    const drawn: EventId[] = [source.next<EventId>()];
    const idAt = (index: number): EventId => {
      while (drawn.length <= index) drawn.push(source.next<EventId>());
      return drawn[index]!;
    };
    for (let attempt = 1; ; attempt++) {
      const events = await this.#history(decider, stream);
      const state = events.reduce((s, e) => decider.evolve(s, e), decider.initial);
      const last = events.at(-1);
      if (events.some((event) => event.eventId === drawn[0]))
        return { state, position: last!.position, revision: last!.revision, written: 0, replayed: true };
      const drafts = decision(state);
      if (drafts.length === 0)
        return { state, position: last?.position ?? 0n, revision: last?.revision ?? -1n, written: 0, replayed: false };
      if (currentContext().dryRun) {
        for (const draft of drafts) planEvent(draft, stream);
        return { state, position: last?.position ?? 0n, revision: last?.revision ?? -1n, written: 0, replayed: false };
      }
      try {
        let next = 0;
        const expected: ExpectedRevision = last ? last.revision : 'no-stream';
        const stored = await this.#append({ stream, expected, drafts }, correlation, () => idAt(next++));
        const after = (await this.#openAll(stored)).reduce((s, e) => decider.evolve(s, e), state);
        const { position, revision } = stored.at(-1)!;
        return { position, revision, state: after, written: drafts.length, replayed: false };
      } catch (error) {
        if (!(error instanceof RevisionConflict) || attempt >= (this.options.attempts ?? 8)) throw error;
      }
    }
  }

  async load<S>(decider: Decider<S>, stream: StreamName) {
    const events = await this.#history(decider, stream);
    const last = events.at(-1);
    const state = events.reduce((s, e) => decider.evolve(s, e), decider.initial);
    return { state, revision: last?.revision, position: last?.position };
  }

  async read(stream: StreamName): Promise<readonly RecordedEvent[]> {
    return this.#openAll(await this.options.store.read(stream));
  }

  async tail(
    stream: StreamName,
    options: { readonly before?: bigint; readonly maxCount: number },
  ): Promise<readonly RecordedEvent[]> {
    return this.#openAll(await this.options.store.tail(stream, options));
  }

  async newest<F extends Fields>(
    stream: StreamName,
    types: readonly EventType<F>[],
  ): Promise<RecordedEvent<F> | undefined> {
    const wanted = new Set(types.map(({ type }) => type));
    for await (const page of this.#backwards(stream)) {
      const found = page.find(({ type }) => wanted.has(type));
      if (found) return (await this.#openAll([found]))[0] as unknown as RecordedEvent<F>;
    }
    return undefined;
  }

  async open(envelopes: readonly Envelope[], opens?: Opens): Promise<readonly OpenedEnvelope[]> {
    const { vault, registry } = this.options;
    const opened = await (opens
      ? openFields(vault, registry, envelopes, opens)
      : openEnvelopes(vault, registry, envelopes));
    this.#remember(opened);
    return opened;
  }

  async scopeStates(scopeIds: readonly ScopeId[]): Promise<ReadonlyMap<ScopeId, ScopeOutcome['state']>> {
    const keys = await this.options.vault.openingKeys(scopeIds);
    return new Map([...keys].map(([id, { state }]) => [id, state]));
  }

  /** The next batches are read and opened while the caller is at work on one. */
  async *subscribe({ maxBatch = DEFAULT_BATCH, signal, opens, ...options }: SubscribeOptions): AsyncGenerator<Batch> {
    const left = new AbortController();
    const until = AbortSignal.any([left.signal, ...(signal ? [signal] : [])]);
    const batches = this.options.store.subscribe({ ...options, maxBatch, signal: until })[Symbol.asyncIterator]();
    const next = async (): Promise<Batch | undefined> => {
      const { done, value } = await batches.next();
      return done ? undefined : { ...value, events: await this.#openAll(value.events, opens) };
    };
    const coming: Promise<Batch | undefined>[] = [];
    let live = false;
    try {
      for (;;) {
        // At the end of the log one that is asked for early would be the next few events, and those after them would wait for it.
        while (coming.length < (live ? 1 : OPENED_AHEAD)) {
          const batch = next();
          batch.catch(() => undefined); // it is told to whoever asks for that batch
          coming.push(batch);
        }
        const batch = await coming.shift();
        // What was opened ahead is not handed out any more once the caller wants to hear no more.
        if (!batch || until.aborted) return;
        live = batch.live;
        yield batch;
      }
    } finally {
      left.abort();
      // What is being opened ahead is not waited for: the vault may hang, and nobody takes it any more.
      await batches.return?.();
    }
  }

  async eventIdAt(position: Position): Promise<EventId | undefined> {
    return (await this.options.store.eventAt(position))?.id;
  }

  async recordedAfter(position: Position): Promise<Date | undefined> {
    const [next] = await this.options.store.forwards({ ...(position > 0n ? { after: position } : {}), maxCount: 1 });
    return next && new Date((next.metadata as unknown as EventMetadata).recordedAt);
  }

  head(): Promise<Position> {
    return this.options.store.head();
  }

  reading<T>(work: () => Promise<T>): Promise<T> {
    return this.#opened.run(new Set(), work);
  }

  assertCurrent(): void {
    const opened = this.#opened.getStore();
    if (opened && opened.size > 0) this.options.vault.assertCurrent(opened);
  }

  close(): Promise<void> {
    return this.options.store.close();
  }

  /** What it takes to know the state of a stream. */
  async #history({ beginsWith }: Decider<any>, stream: StreamName): Promise<readonly RecordedEvent[]> {
    if (!beginsWith) return this.read(stream);
    const found: StoredEvent[] = [];
    for await (const page of this.#backwards(stream)) {
      const at = page.findIndex(({ type }) => type === beginsWith.type);
      found.push(...(at === -1 ? page : page.slice(0, at + 1)));
      if (at !== -1) break;
    }
    return this.#openAll(found.toReversed());
  }

  /** A stream from its end to its beginning, the newest first, in pages. */
  async *#backwards(stream: StreamName): AsyncGenerator<readonly StoredEvent[]> {
    let before: bigint | undefined;
    for (let maxCount = FIRST_PAGE; ; maxCount = Math.min(maxCount * 4, LAST_PAGE)) {
      const page = await this.options.store.tail(stream, { maxCount, ...(before === undefined ? {} : { before }) });
      yield page;
      if (page.length < maxCount) return;
      before = page.at(-1)!.revision;
    }
  }

  async #append(
    { stream, expected, drafts }: AppendCommand,
    correlation: string,
    nextId: () => EventId,
  ): Promise<readonly StoredEvent[]> {
    if (drafts.length === 0) throw new Error('nothing to append');
    if (currentContext().dryRun) throw new Error('a dry run decides; it does not append');
    const planned = drafts.map((draft) => planEvent(draft, stream));
    const requests = planned.flatMap((event) => event.blocks.map((block) => block.request));
    if (requests.length === 0) return this.#write(stream, expected, planned, correlation, nextId);
    const begun = performance.now();
    return this.options.vault.withSealing(requests, (session) =>
      this.#write(stream, expected, planned, correlation, nextId, session, begun),
    );
  }

  async #write(
    stream: StreamName,
    expected: ExpectedRevision,
    planned: readonly PlannedEvent[],
    correlation: string,
    nextId: () => EventId,
    session?: SealingSession,
    begun = performance.now(),
  ): Promise<readonly StoredEvent[]> {
    const context = currentContext();
    const deadline = Math.floor(Math.min(APPEND_DEADLINE_MS, (session?.remainingMs() ?? Infinity) * LEASE_SHARE));
    if (deadline <= 0) throw new MakulerError('vault-unavailable', { retryAfterSeconds: 1 });
    let keyIndex = 0;
    const events = planned.map((event): EventToStore => {
      const id = nextId();
      const keys = session?.keys.slice(keyIndex, (keyIndex += event.blocks.length)) ?? [];
      const metadata: EventMetadata = {
        schemaVersion: event.draft.event.version,
        recordedAt: this.#instants.next(),
        actor: context.actor,
        ...(context.purpose === undefined ? {} : { purpose: context.purpose }),
        policyVersion: this.options.policyVersion(),
        ...(session ? { vault: datedBy(session) } : {}),
        // One stream's own: a correlation that crossed streams would join the events of a person after the shredding.
        $correlationId: correlation,
        $causationId: correlation,
      };
      const data = session ? sealEvent(event, id, stream, session, keys) : event.clear;
      return { id, type: event.draft.event.type, data, metadata: { ...metadata } };
    });
    const sealed = performance.now();
    if (session) this.options.observe?.('seal', (sealed - begun) / 1_000);
    const { position, revision } = await this.#store(stream, expected, events, deadline, sealed);
    // Positions between the first and the last are not told; whoever orders by position reads the log.
    const first = revision - BigInt(events.length - 1);
    return events.map((event, n) => ({ ...event, stream, revision: first + BigInt(n), position }));
  }

  async #store(
    stream: StreamName,
    expected: ExpectedRevision,
    events: readonly EventToStore[],
    deadline: number,
    begun: number,
  ): Promise<{ position: Position; revision: bigint }> {
    const observe = (error?: unknown) => this.options.observe?.('append', (performance.now() - begun) / 1_000, error);
    try {
      const attributes = { 'makuler.events': events.length };
      const appended = await inSpan({ name: 'append', kind: 'client', attributes }, () =>
        this.options.store.append(stream, expected, events, deadline),
      );
      observe();
      return appended;
    } catch (error) {
      observe(error);
      throw error;
    }
  }

  /** Opens raw events, all keys in one call. An event type that this program doesn't know is a fault, not something to skip. */
  async #openAll(all: readonly StoredEvent[], opens?: Opens): Promise<readonly RecordedEvent[]> {
    const parsed = all.map((event) => this.#parse(event)).filter(({ type }) => !opens || opens.has(type));
    const envelopes = parsed.map((event) => event.envelope);
    const opened = await this.open(envelopes, opens);
    return parsed.map(({ clear, declared, ...event }, index): RecordedEvent => {
      const { fields, scopes } = opened[index]!;
      return {
        ...event,
        data: upcast(declared, event.envelope.version, { ...clear, ...fields }) as RecordedEvent['data'],
        scopes,
      };
    });
  }

  #parse({ id: eventId, type, stream, revision, position, data, metadata: raw }: StoredEvent) {
    const declared = this.options.registry.get(type);
    if (!declared) throw new Error(`the log holds an event of type ${type}, which this program does not know`);
    const { $sealed, ...clear } = data;
    const metadata = raw as unknown as EventMetadata;
    const sealed = ($sealed ?? {}) as Record<ScopeId, string>;
    const envelope: Envelope = { eventId, type, version: metadata.schemaVersion, stream, sealed };
    const at = new Date(metadata.recordedAt);
    return { eventId, type, stream, revision, position, at, metadata, envelope, clear, declared };
  }

  /** Only what opened: a scope that read as erased stays so, and an answer that says it is never out of date. */
  #remember(envelopes: readonly OpenedEnvelope[]): void {
    const live = this.#opened.getStore();
    for (const { scopes } of envelopes)
      for (const { scopeId, state } of scopes) if (state === 'live') live?.add(scopeId);
  }
}
