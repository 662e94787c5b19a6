import type { Pool } from '#postgres';
import type { Place, StoredEvent } from './event.js';

/** Rows and bytes of one page: enough to keep a reader busy, little enough for many readers at once. */
const PAGE_ROWS = 512;
const PAGE_BYTES = 2 * 1024 * 1024;

export type Direction = 'forwards' | 'backwards';

interface Row {
  position: string;
  stream: string;
  revision: string;
  event_id: string;
  type: string;
  json: boolean;
  created: string;
  data: Buffer;
  metadata: Buffer;
}

const COLUMNS = 'position, stream, revision, event_id, type, json, created, data, metadata';

/** A page by key. Cut by bytes as well as rows (`before`: the bytes of the rows before it), so that a page of large events stays small. */
const pageSql = (where: string, key: 'position' | 'revision', direction: 'asc' | 'desc') => `
  select ${COLUMNS} from (
    select *, sum(octet_length(data) + octet_length(metadata)) over (order by ${key} ${direction})
              - octet_length(data) - octet_length(metadata) as before
    from (select ${COLUMNS} from event where ${where} order by ${key} ${direction} limit $2) rows
  ) page where before < $3 order by ${key} ${direction}`;

const ALL = {
  forwards: { name: 'all-forwards', text: pageSql('position >= $1', 'position', 'asc') },
  backwards: { name: 'all-backwards', text: pageSql('position <= $1', 'position', 'desc') },
};
const STREAM = {
  forwards: { name: 'stream-forwards', text: pageSql('stream = $4 and revision >= $1', 'revision', 'asc') },
  backwards: { name: 'stream-backwards', text: pageSql('stream = $4 and revision <= $1', 'revision', 'desc') },
};

const toEvent = (row: Row): StoredEvent => ({
  position: Number(row.position),
  stream: row.stream,
  revision: Number(row.revision),
  id: row.event_id,
  type: row.type,
  json: row.json,
  created: Number(row.created),
  data: row.data,
  metadata: row.metadata,
});

export interface Page {
  readonly events: readonly StoredEvent[];
  /** There was nothing after it when it was read. */
  readonly atEnd: boolean;
}

const pageOf = async (
  pool: Pool,
  query: { name: string; text: string },
  limit: number,
  start: number,
  stream: string[],
) => {
  const rows = Math.min(limit, PAGE_ROWS);
  const events = (await pool.query<Row>({ ...query, values: [start, rows, PAGE_BYTES, ...stream] })).rows.map(toEvent);
  let bytes = 0;
  for (const { data, metadata } of events) bytes += data.length + metadata.length;
  // Fewer rows than asked for, and not because they were too large.
  return { events, atEnd: events.length < rows && bytes < PAGE_BYTES };
};

/** A page of the log, from `start` (inclusive) on. Rejects with `database-unavailable`. */
export const allPage = (pool: Pool, direction: Direction, start: number, limit: number): Promise<Page> =>
  pageOf(pool, ALL[direction], limit, start, []);

/** A page of one stream, from the revision `start` (inclusive) on. Rejects with `database-unavailable`. */
export const streamPage = (
  pool: Pool,
  stream: string,
  direction: Direction,
  start: number,
  limit: number,
): Promise<Page> => pageOf(pool, STREAM[direction], limit, start, [stream]);

/** Does the stream hold any event? */
export const streamExists = async (pool: Pool, stream: string): Promise<boolean> =>
  (await pool.query({ name: 'stream-exists', text: 'select 1 from event where stream = $1 limit 1', values: [stream] }))
    .rows.length > 0;

/** Something that can run a query: the pool of the readers, or the writer's own connection. */
export type Queryable = Pick<Pool, 'query'>;

/** Position of the last event, 0 for an empty log. */
export const headOf = async (database: Queryable): Promise<number> =>
  Number(
    (await database.query<{ head: string }>('select coalesce(max(position), 0) as head from event')).rows[0]!.head,
  );

/** Revision of the last event of each stream that has one. */
export const revisionsOf = async (
  database: Queryable,
  streams: readonly string[],
): Promise<ReadonlyMap<string, number>> => {
  const { rows } = await database.query<{ stream: string; revision: string }>({
    name: 'revisions',
    text: `select name as stream, last.revision from unnest($1::text[]) name
           cross join lateral (select revision from event where stream = name order by revision desc limit 1) last`,
    values: [streams],
  });
  return new Map(rows.map((row) => [row.stream, Number(row.revision)]));
};

/** The newest place of each id in its stream; the key is `placeKey`. */
export const placesOf = async (
  database: Queryable,
  wanted: readonly { readonly stream: string; readonly id: string }[],
): Promise<Map<string, Place>> => {
  const { rows } = await database.query<{ stream: string; event_id: string; revision: string; position: string }>({
    name: 'places',
    text: `select e.stream, e.event_id, e.revision, e.position
           from unnest($1::text[], $2::uuid[]) wanted (stream, id)
           join event e on e.event_id = wanted.id and e.stream = wanted.stream order by e.revision`,
    values: [wanted.map(({ stream }) => stream), wanted.map(({ id }) => id)],
  });
  return new Map(
    rows.map((row) => [
      placeKey(row.stream, row.event_id),
      { revision: Number(row.revision), position: Number(row.position) },
    ]),
  );
};
/** A UUID has a fixed length, so the pair is unambiguous. */
export const placeKey = (stream: string, id: string): string => id + stream;

/** Ids and places of the events of a stream from `revision` on. */
export const idsFrom = async (database: Queryable, stream: string, revision: number, count: number) => {
  const { rows } = await database.query<{ event_id: string; revision: string; position: string }>({
    name: 'ids-from',
    text: 'select event_id, revision, position from event where stream = $1 and revision >= $2 order by revision limit $3',
    values: [stream, revision, count],
  });
  return rows.map((row) => ({ id: row.event_id, revision: Number(row.revision), position: Number(row.position) }));
};
