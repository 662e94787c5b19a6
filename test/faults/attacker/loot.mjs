/**
 * All that was read, from wherever it came, each thing once. A `source` is one copy of one store: two copies of the same
 * table are compared with each other.
 */
export class Loot {
  /** Root keys, of whatever age: { mirror, epoch, key }. */
  roots = [];
  /** { epoch, mirror, wrapped }. */
  epochWraps = [];
  /** { bucketId, generation, epoch, wrapped }. */
  bucketWraps = [];
  /** What a bucket's key seals: { kind: 'scope' | 'tombstone', bucketId, scopeId, sealed }; without `scopeId` where it was lost. */
  records = [];
  /** Exceptions of a fence: { bucketId, ownerKind, ownerId, sealed }. */
  fences = [];
  /** { eventId, type, stream, scopeId, slot, category, sealed }. */
  blocks = [];
  /** { id, type, stream, data, metadata }. */
  events = [];
  /** { source, state }. */
  custodians = [];
  /** Every row of every table: { source, table, row }. */
  rows = [];
  /** Values of 32 bytes that stand somewhere unsealed: perhaps keys. */
  loose = [];
  installations = new Set();
  files = 0;
  bytes = 0;
  /** What could not be read, and why. */
  unread = [];
  #seen = new Set();

  /** Keeps a thing unless it is known; `parts` say what makes it the same. */
  keep(list, thing, ...parts) {
    const key = [list, ...parts.map((part) => (Buffer.isBuffer(part) ? part.toString('base64') : String(part)))].join(
      '\n',
    );
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    this[list].push(thing);
  }
}
