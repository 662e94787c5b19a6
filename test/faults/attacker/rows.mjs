/** Sorts what a row holds: wraps and records of the vault, events of a log, blocks wherever a table keeps them. */
export const takeRow = (loot, source, table, row) => {
  loot.keep('rows', { source, table, row }, source, table, JSON.stringify(row));
  for (const value of Object.values(row))
    if (Buffer.isBuffer(value) && value.length === 32) loot.keep('loose', value, value);
  VAULT[table]?.(loot, row);
  if (table === 'event' && row.stream) takeEvent(loot, eventOf(row));
  else for (const value of Object.values(row)) takeKeptBlocks(loot, parsed(value));
};

/** docs/formats/vault-keys.md, "The tables". */
const VAULT = {
  vault: (loot, row) => row.installation && loot.installations.add(row.installation),
  epoch_key: (loot, { epoch, mirror, wrapped }) =>
    wrapped && loot.keep('epochWraps', { epoch: Number(epoch), mirror, wrapped }, epoch, mirror, wrapped),
  bucket: (loot, { bucket_id: bucketId, generation, epoch, wrapped }) =>
    wrapped && takeBucketWrap(loot, { bucketId, generation: Number(generation), epoch: Number(epoch), wrapped }),
  scope: (loot, { scope_id: scopeId, bucket_id: bucketId, sealed }) =>
    sealed && takeRecord(loot, { bucketId, scopeId, sealed }),
  owner: (loot, { owner_kind: ownerKind, owner_id: ownerId, except_bucket: bucketId, except_sealed: sealed }) =>
    sealed && loot.keep('fences', { bucketId, ownerKind, ownerId, sealed }, bucketId, ownerId, sealed),
};

export const takeBucketWrap = (loot, wrap) =>
  loot.keep('bucketWraps', wrap, wrap.bucketId, wrap.generation, wrap.epoch, wrap.wrapped);

/** The second byte of the envelope says which kind of record it is. */
export const takeRecord = (loot, record) => {
  const kind = { 3: 'scope', 4: 'tombstone' }[record.sealed[1]];
  if (kind) loot.keep('records', { ...record, kind }, record.bucketId, record.scopeId, record.sealed);
};

const eventOf = ({ event_id, id, type, stream, data, metadata }) => ({
  ...{ id: event_id ?? id, type, stream },
  ...{ data: parsed(data) ?? {}, metadata: parsed(metadata) ?? {} },
});

/** docs/formats/block.md: an event, and the sealed blocks in it. */
export const takeEvent = (loot, event) => {
  loot.keep('events', event, event.id, event.stream);
  takeBlocks(loot, { ...event, eventId: event.id }, event.data.$sealed);
};

const takeBlocks = (loot, { eventId, type, stream }, sealed) => {
  for (const [scopeId, text] of Object.entries(sealed ?? {})) {
    const bytes = Buffer.from(text, 'base64');
    const end = 2 + bytes[1];
    const [slot, category] = bytes.subarray(2, end).toString().split('/');
    const block = { eventId, type, stream, scopeId, slot, category, sealed: bytes.subarray(end) };
    loot.keep('blocks', block, eventId, scopeId, bytes);
  }
};

/** Read models keep blocks with what opens them: { eventId, type, stream, sealed }, at any depth of a JSON value. */
const takeKeptBlocks = (loot, value) => {
  if (value === null || typeof value !== 'object') return;
  if (value.eventId && value.stream && typeof value.sealed === 'object') takeBlocks(loot, value, value.sealed);
  else for (const inner of Object.values(value)) takeKeptBlocks(loot, inner);
};

const parsed = (value) => {
  if (value !== null && typeof value === 'object' && !Buffer.isBuffer(value)) return value;
  const text = Buffer.isBuffer(value) ? value.toString() : value;
  if (typeof text !== 'string' || !/^\s*[[{]/.test(text)) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};
