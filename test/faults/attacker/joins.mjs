import { blake2b, fingerprint } from './primitive.mjs';

/**
 * Whatever tells that events of different streams are of one person, without opening a block: each join is { by, at, streams }.
 * `by: 'value'` is a value that stands in events or rows of several streams; what everybody has in common says nothing, and
 * who reads the report knows which places those are. `by: 'difference'` compares two copies of one store,
 * and `'tombstones'` takes together what is gone in one: at `scope.state`, that is everybody who was ever erased.
 */
export const joins = (loot, { keys, records, fences }) => {
  const known = new Streams(loot.events);
  return [
    ...sharedValues(loot, known),
    ...openedNames(records, known),
    ...fences.map(({ ownerId, exceptions }) =>
      joinOf('fence', 'owner.except_sealed', known.of([ownerId, ...exceptions.flat()])),
    ),
    ...guessedIdentities(loot, keys.buckets, known),
    ...receipts(loot, records, known),
    ...loot.custodians.flatMap(({ state }) =>
      (state.pending ?? []).map(({ entries }) =>
        joinOf('order', 'custodian.pending', known.of(entries.map(([id]) => id))),
      ),
    ),
    ...tombstones(loot, known),
    ...differences(loot, known),
  ].filter(({ streams }) => streams.length > 1);
};

const joinOf = (by, at, streams) => ({ by, at, streams: [...streams].sort() });
const UUID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;

/** Which streams an id points to: one in the stream's name, of one of its events, or of a scope of its blocks. */
class Streams {
  #byId = new Map();

  constructor(events) {
    this.all = new Set(events.map(({ stream }) => stream));
    for (const { id, stream, data } of events)
      for (const known of [id, ...(stream.match(UUID) ?? []), ...Object.keys(data.$sealed ?? {})]) {
        if (!this.#byId.has(known)) this.#byId.set(known, new Set());
        this.#byId.get(known).add(stream);
      }
  }

  of(ids) {
    return new Set(ids.flatMap((id) => [...(this.#byId.get(id) ?? [])]));
  }
}

/** Numbers below a hundred, yes and no are counts and answers: they identify nobody. */
const saysNothing = (text) => text === '' || /^(t|f|true|false|\d{1,2})$/.test(text);

const sharedValues = ({ events, rows }, known) => {
  const found = new Map();
  const note = (stream, at, value) => {
    const text = Buffer.isBuffer(value) ? value.toString('base64') : String(value);
    if (value === null || saysNothing(text)) return;
    if (!found.has(text)) found.set(text, { streams: new Set(), at: new Set() });
    found.get(text).streams.add(stream);
    found.get(text).at.add(at);
  };
  for (const { id, type, stream, data, metadata } of events)
    leaves(
      { id, type, data: { ...data, $sealed: undefined }, metadata, scope: Object.keys(data.$sealed ?? {}) },
      '',
      (at, value) => note(stream, at, value),
    );
  const whole = [];
  for (const { table, row } of rows) {
    if (table === 'event') continue;
    const streams = known.of(JSON.stringify(row).match(UUID) ?? []);
    if (streams.size > 1) whole.push(joinOf('row', table, streams));
    else for (const stream of streams) leaves(row, table, (at, value) => note(stream, at, value));
  }
  return [
    ...whole,
    ...[...found.values()].map(({ streams, at }) => joinOf('value', [...at].sort().join(' '), streams)),
  ];
};

const leaves = (value, at, visit) => {
  if (value === null || value === undefined) return;
  if (typeof value !== 'object' || Buffer.isBuffer(value)) return visit(at, value);
  for (const [name, inner] of Object.entries(value))
    leaves(inner, Array.isArray(value) ? at : at === '' ? name : `${at}.${name}`, visit);
};

/** Records that opened name their owner, and tombstones do so without any key in them. */
const openedNames = (records, known) =>
  [...Map.groupBy(records, ({ owner }) => owner.id)].map(([owner, theirs]) =>
    joinOf('record', 'scope.sealed', known.of([owner, ...theirs.map(({ scopeId }) => scopeId)])),
  );

/** With a bucket's key, guesses of owner, category and partition are compared with the column that makes scopes unique. */
const guessedIdentities = ({ rows, blocks, events }, buckets, known) => {
  const scopes = new Map();
  for (const { table, row } of rows)
    if (table === 'scope' && row.identity) scopes.set(row.identity.toString('base64'), row.scope_id);
  const categories = new Set(blocks.map(({ category }) => category));
  const owners = new Set(
    events.flatMap(({ stream }) => (/^(customer|company|person)-/.test(stream) ? (stream.match(UUID) ?? []) : [])),
  );
  const partitions = new Set(['', ...events.flatMap(({ stream }) => stream.match(UUID) ?? [])]);
  const found = [];
  for (const { identities } of buckets)
    for (const owner of owners)
      for (const kind of ['subject', 'company'])
        for (const category of categories)
          for (const partition of partitions) {
            const guess = blake2b(JSON.stringify([kind, owner, category, partition]), identities).toString('base64');
            if (scopes.has(guess))
              found.push(joinOf('identity', 'scope.identity', known.of([owner, scopes.get(guess)])));
          }
  return found;
};

/** A receipt names the keys that an order destroyed: whoever still has them knows whose they were. */
const receipts = ({ rows }, records, known) => {
  const byFingerprint = new Map(
    records.flatMap(({ scopeId, dataKey }) => (dataKey ? [[fingerprint(dataKey), scopeId]] : [])),
  );
  return rows
    .filter(({ table }) => table === 'receipt')
    .map(({ row }) => {
      const named = String(row.destroyed).match(/[0-9a-f]{64}/g) ?? [];
      return joinOf(
        'receipt',
        'receipt.destroyed',
        known.of([row.order_id, ...named.map((name) => byFingerprint.get(name))]),
      );
    });
};

/** What was there in one copy of a store and is gone in another: of everybody in a bucket who was erased in between. */
const differences = ({ rows, custodians }, known) => {
  const copies = [...scopesBySource(rows).values()];
  const gone = copies.map(
    (scopes) => new Set(scopes.flatMap(({ state, scope_id: id }) => (state === 'live' ? [] : id))),
  );
  const journals = custodians.map(({ state }) => (state.shredded ?? []).map(([id]) => id));
  return [
    ...copies.flatMap((before) =>
      gone.flatMap((after) =>
        byBucket(
          before.filter(({ state, scope_id: id }) => state === 'live' && after.has(id)),
          'difference',
          known,
        ),
      ),
    ),
    ...journals.flatMap((before) =>
      journals.map((after) =>
        joinOf('difference', 'custodian.shredded', known.of(after.filter((id) => !before.includes(id)))),
      ),
    ),
  ];
};

/** What is gone in one copy, as far as it still says from which bucket. */
const tombstones = ({ rows }, known) =>
  [...scopesBySource(rows).values()].flatMap((scopes) =>
    byBucket(
      scopes.filter(({ state }) => state === 'erased'),
      'tombstones',
      known,
    ),
  );

const scopesBySource = (rows) =>
  new Map(
    [
      ...Map.groupBy(
        rows.filter(({ table }) => table === 'scope'),
        ({ source }) => source,
      ),
    ].map(([source, of]) => [source, of.map(({ row }) => row)]),
  );

const byBucket = (scopes, by, known) =>
  [...Map.groupBy(scopes, ({ bucket_id: bucketId }) => bucketId)].map(([bucketId, of]) =>
    joinOf(by, bucketId ? 'scope.bucket_id' : 'scope.state', known.of(of.map(({ scope_id: id }) => id))),
  );
