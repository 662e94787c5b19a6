import type { BehindTheApi } from './behind-the-api.js';

/**
 * Values that streams of one person may have in common, and why each says nothing about whose they are. Paths of events
 * (`data.…`, `metadata.…`) and of the vault's tables (`vault.table.column`).
 */
export const MAY_BE_SHARED: Readonly<Record<string, string>> = {
  type: 'one of a few dozen words',
  'metadata.recordedAt': 'a time: neighbourhood in the log is named in the threat model',
  'metadata.actor': 'the random id of a token, which wrote thousands of events of everybody',
  'metadata.purpose': 'an id of the policy',
  'metadata.policyVersion': 'the policy in force, the same for everybody',
  'metadata.vault.incarnation': 'one life of the vault, the same for everybody',
  'data.sector': 'private or business',
  'data.region': 'two digits of a postal code, or abroad',
  'data.currency': 'nearly all sales share it',
  'data.lines.kind': 'product or service',
  'data.lines.itemType': 'a kind of goods that anybody buys',
  'data.lines.quantity': 'a number of goods',
  'data.lines.amount': 'a price that everybody pays for such goods',
  'vault.scope.state': 'one of three words',
  'vault.scope.bucket_id': 'a bucket holds the keys of a few dozen owners: it narrows, and joins nothing',
  'vault.owner_bucket.bucket_id': 'a bucket holds the keys of a few dozen owners: it narrows, and joins nothing',
};

/** Listed, but shared only by chance: by events that were written in the same instant. */
export const SHARED_BY_CHANCE: readonly string[] = ['metadata.recordedAt'];

/** A value that two streams of one person share, and where it stands in each. */
export interface SharedValue {
  readonly value: string;
  readonly places: readonly string[];
}

/**
 * Takes the raw log and the vault's tables, gives each stream the rows of its own keys (and the stream that names the
 * owner the owner's rows), and answers with every value that stands in two of the streams and at a place that is not `listed`.
 */
export const sharedAcrossStreams = async (
  behind: BehindTheApi,
  streams: readonly string[],
  listed: Readonly<Record<string, string>> = MAY_BE_SHARED,
): Promise<readonly SharedValue[]> => {
  const valuesOf = new Map(streams.map((stream) => [stream, new Map<string, Set<string>>()]));
  const scopeStream = new Map<string, string>();
  for (const { stream, id, type, data, metadata } of await behind.log()) {
    const values = valuesOf.get(stream);
    if (!values) continue;
    collect(values, '', { id, type, data, metadata });
    for (const scopeId of Object.keys(data['$sealed'] ?? {})) {
      collect(values, 'scopeId', scopeId);
      scopeStream.set(scopeId, stream);
    }
  }
  const vault = behind.database('vault');
  const tables = await vault.query<{ name: string }>(
    `select table_name as name from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE'`,
  );
  let attached = 0;
  for (const { name } of tables.rows) {
    const { rows } = await vault.query<Record<string, unknown>>(`select * from "${name}"`);
    for (const row of rows) {
      const known = Object.values(row).map(String);
      const stream = known.map((value) => scopeStream.get(value) ?? ownStream(streams, value)).find(Boolean);
      if (stream === undefined) continue;
      attached++;
      collect(valuesOf.get(stream)!, `vault.${name}`, row);
    }
  }
  if (attached <= streams.length) throw new Error('hardly a row of the vault was found: the search is blind');
  return sharedIn(valuesOf, listed);
};

const ownStream = (streams: readonly string[], value: string): string | undefined =>
  streams.find((stream) => stream === `customer-${value}`);

/** Numbers below a hundred, yes and no are counts and answers: they identify nobody. */
const saysNothing = (value: unknown): boolean =>
  value === null || typeof value === 'boolean' || (typeof value === 'number' && value < 100);

const collect = (into: Map<string, Set<string>>, path: string, value: unknown): void => {
  if (saysNothing(value)) return;
  if (value instanceof Date) return collect(into, path, value.toISOString());
  if (Buffer.isBuffer(value)) return collect(into, path, value.toString('base64'));
  if (Array.isArray(value)) return value.forEach((inner) => collect(into, path, inner));
  if (typeof value === 'object')
    return Object.entries(value as object).forEach(([name, inner]) =>
      collect(into, [path, name].filter(Boolean).join('.'), inner),
    );
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  into.set(text, (into.get(text) ?? new Set()).add(path));
};

const sharedIn = (
  valuesOf: ReadonlyMap<string, ReadonlyMap<string, ReadonlySet<string>>>,
  listed: Readonly<Record<string, string>>,
): SharedValue[] => {
  const seen = new Map<string, { streams: number; places: Set<string> }>();
  for (const values of valuesOf.values())
    for (const [value, paths] of values) {
      const found = seen.get(value) ?? { streams: 0, places: new Set<string>() };
      for (const path of paths) found.places.add(path);
      seen.set(value, { streams: found.streams + 1, places: found.places });
    }
  return [...seen]
    .filter(([, { streams, places }]) => streams > 1 && [...places].some((place) => !(place in listed)))
    .map(([value, { places }]) => ({ value, places: [...places].sort() }));
};
