import type { ChainPoint } from '#chain';
import { GENESIS, linked } from '#chain';
import type { EventId } from '#kernel';
import type { EventStore, Position, StoredEvent } from '#ledger';
import type { Manifest, Part } from './manifest.js';
import { damaged, parseJson } from './manifest.js';
import { linesOf, PartWriter } from './part-files.js';

/** A part is closed once it holds this much text, so that no file gets larger than tools like. */
const PART_CHARACTERS = 64_000_000;
const BATCH = 500;

/** An event as it stands in a set: what a server adds (position, time of creation) is left out. */
export type ArchivedEvent = Pick<StoredEvent, 'stream' | 'revision' | 'id' | 'type' | 'data' | 'metadata'>;

export interface LogParts {
  readonly parts: readonly Part[];
  readonly end: ChainPoint;
}

export interface LogOptions {
  /** The last event that is taken. */
  readonly until: Position;
  readonly signal?: AbortSignal;
  readonly progress?: (events: number, position: Position) => void;
}

/** Writes the log from its beginning up to a position, sealed as stored, in as many parts as it needs (one at least). */
export const writeLog = async (
  store: EventStore,
  directory: string,
  { until, signal, progress }: LogOptions,
): Promise<LogParts> => {
  const parts: Part[] = [];
  let end = GENESIS;
  let part = partNumber(directory, 1);
  try {
    for await (const events of upTo(store, until, signal)) {
      const lines = events.map((event) => {
        end = linked(end, event);
        return lineOf(end.sequence, event);
      });
      await part.write(lines);
      progress?.(end.sequence, events.at(-1)!.position);
      if (part.characters < PART_CHARACTERS) continue;
      parts.push(await part.end());
      part = partNumber(directory, parts.length + 1);
    }
    parts.push(await part.end());
    return { parts, end };
  } catch (error) {
    await part.abandon();
    throw error;
  }
};

const partNumber = (directory: string, number: number): PartWriter =>
  new PartWriter(directory, `log-${String(number).padStart(6, '0')}.ndjson.gz`, 'log');

async function* upTo(
  store: EventStore,
  until: Position,
  signal: AbortSignal | undefined,
): AsyncGenerator<readonly StoredEvent[], void> {
  if (until === 0n) return;
  for await (const { events, position } of store.subscribe({ maxBatch: BATCH })) {
    signal?.throwIfAborted();
    const wanted = events.filter((event) => event.position <= until);
    if (wanted.length > 0) yield wanted;
    if (position >= until) return;
  }
}

const lineOf = (sequence: number, { stream, revision, id, type, data, metadata }: ArchivedEvent): string =>
  JSON.stringify({ sequence: String(sequence), stream, revision: String(revision), id, type, data, metadata });

/** The events of a set in order, a few at a time. Throws `backup-damaged` when one is missing or they do not fit the manifest's link. */
export async function* eventsOf(
  directory: string,
  { parts, log }: Manifest,
): AsyncGenerator<readonly ArchivedEvent[], void> {
  let end = GENESIS;
  for (const part of parts.filter(({ kind }) => kind === 'log'))
    for await (const lines of linesOf(directory, part)) {
      const events = lines.map((line) => {
        const { sequence, ...event } = eventFrom(line);
        if (sequence !== end.sequence + 1) throw damaged(`event ${end.sequence + 1} is missing`);
        end = linked(end, event);
        return event;
      });
      for (let first = 0; first < events.length; first += BATCH) yield events.slice(first, first + BATCH);
    }
  if (String(end.sequence) !== log.sequence || end.link !== log.link)
    throw damaged('its events do not fit its manifest');
}

const eventFrom = (line: string): ArchivedEvent & { readonly sequence: number } => {
  const stored = parseJson(line, 'an event of it') as Record<
    'sequence' | 'stream' | 'revision' | 'id' | 'type',
    string
  > &
    Pick<ArchivedEvent, 'data' | 'metadata'>;
  const { stream, type, data, metadata } = stored;
  const [sequence, revision] = [Number(stored.sequence), BigInt(stored.revision)];
  return { sequence, stream, revision, id: stored.id as EventId, type, data, metadata };
};
