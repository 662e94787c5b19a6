import { identitiesKey, open, openEnvelope, recordsKey } from './primitive.mjs';

/**
 * Every root on every wrap of an epoch key, every epoch key on every wrap of a bucket key, every bucket key on every record,
 * every data key on every block. Values of 32 bytes that lay about are tried as keys of each level. What a place must be is
 * taken from where a thing stood, and where that was lost, from everything that was seen anywhere.
 */
export const unlock = (loot) => {
  const loose = loot.loose;
  const roots = distinct([...loot.roots.map(({ key }) => key), ...loose]);
  const epochKeys = distinct([
    ...loose,
    ...loot.epochWraps.flatMap(({ epoch, mirror, wrapped }) =>
      found(roots, (root) =>
        atAny(loot.installations, (id) => openEnvelope('epoch-key', root, wrapped, [id, mirror, epoch])),
      ),
    ),
  ]);
  const buckets = openBuckets(loot, epochKeys);
  const records = openRecords(loot, buckets);
  const dataKeys = distinct([...records.flatMap(({ dataKey }) => (dataKey ? [dataKey] : [])), ...loose]);
  return {
    keys: { roots, epochKeys, buckets, dataKeys },
    records,
    fences: openFences(loot, buckets),
    opened: loot.blocks.flatMap((block) => {
      const text = first(dataKeys, (key) => open(key, block.sealed, dataOf(block)));
      return text ? [{ block, text: text.toString() }] : [];
    }),
  };
};

const openBuckets = ({ installations, bucketWraps, records, loose }, epochKeys) => {
  const known = new Set([...bucketWraps, ...records].flatMap(({ bucketId }) => bucketId ?? []));
  const buckets = new Map();
  for (const { bucketId, generation, epoch } of bucketWraps)
    for (const key of loose)
      buckets.set(`${bucketId} ${generation} ${key.toString('hex')}`, bucketOf(bucketId, generation, epoch, key));
  for (const { bucketId, generation, epoch, wrapped } of bucketWraps)
    for (const epochKey of epochKeys)
      for (const id of new Set([bucketId, ...known]))
        for (const installation of installations) {
          const key = openEnvelope('bucket-key', epochKey, wrapped, [installation, id, generation, epoch]);
          if (key) buckets.set(`${id} ${generation} ${key.toString('hex')}`, bucketOf(id, generation, epoch, key));
        }
  return [...buckets.values()];
};

const bucketOf = (bucketId, generation, epoch, key) => ({
  ...{ bucketId, generation, epoch },
  ...{ records: recordsKey(key), identities: identitiesKey(key) },
});

const openRecords = ({ records, blocks }, buckets) => {
  const everyScope = [...new Set([...blocks, ...records].flatMap(({ scopeId }) => scopeId ?? []))];
  return records.flatMap(({ kind, scopeId, sealed }) => {
    for (const { bucketId, generation, records: key } of buckets)
      for (const id of scopeId ? [scopeId] : everyScope) {
        const text = openEnvelope(kind, key, sealed, [bucketId, generation, id]);
        if (!text) continue;
        const dataKey = kind === 'scope' ? text.subarray(0, 32) : undefined;
        return [{ scopeId: id, kind, dataKey, ...JSON.parse(text.subarray(dataKey ? 32 : 0).toString()) }];
      }
    return [];
  });
};

const openFences = ({ fences }, buckets) =>
  fences.flatMap(({ ownerKind, ownerId, sealed }) => {
    for (const { bucketId, generation, records } of buckets) {
      const text = openEnvelope('fence', records, sealed, [bucketId, generation, ownerKind, ownerId]);
      if (text) return [{ ownerId, exceptions: JSON.parse(text.toString()) }];
    }
    return [];
  });

/** docs/formats/block.md, "associated data". */
const dataOf = ({ eventId, type, stream, scopeId, slot, category }) =>
  Buffer.from(['makuler/block', '1', eventId, type, stream, scopeId, slot, category].join('\0'));

const first = (keys, tryOne) => {
  for (const key of keys) {
    const result = tryOne(key);
    if (result) return result;
  }
};
const found = (keys, tryOne) => keys.flatMap((key) => tryOne(key) ?? []);
const atAny = (ids, tryOne) => first(ids, tryOne);
const distinct = (keys) => [...new Map(keys.map((key) => [key.toString('hex'), key])).values()];
