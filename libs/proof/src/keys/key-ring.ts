import { openEnvelope, recordsKey } from './envelope.js';
import type { Root, Wrap, Wraps } from './wraps.js';

/** A key of the vault's records, and the root at the beginning of the path to it. */
export interface RecordsKey {
  readonly key: Uint8Array;
  readonly bucketId: string;
  readonly generation: number;
  readonly root: Root;
}

interface EpochKey {
  readonly key: Buffer;
  readonly installation: string;
  readonly epoch: number;
  readonly root: Root;
}

/** What can be opened of the vault's upper keys with all roots that were met. */
export interface KeyRing {
  readonly epochKeys: number;
  readonly bucketKeys: number;
  /** By bucket id. */
  readonly records: ReadonlyMap<string, readonly RecordsKey[]>;
}

/** Trials for wraps that stand without their ids: a log of changes leaves out what did not change. */
const MOST_STRAY_TRIALS = 500_000;

/** Tries every root on every wrapped epoch key, and every epoch key on every wrapped bucket key, with all ids that stood near them. */
export const openKeys = ({ roots, wraps, installations }: Wraps, stray: (untried: number) => void): KeyRing => {
  const all = [...wraps.values()];
  const epochKeys = unique(
    all
      .filter(({ kind }) => kind === 'epoch-key')
      .flatMap((wrap) => epochKeysIn(wrap, [...roots.values()], installations)),
  );
  const records = new Map<string, RecordsKey[]>();
  const add = (found: RecordsKey) => records.set(found.bucketId, [...(records.get(found.bucketId) ?? []), found]);
  const unopened: Wrap[] = [];
  for (const wrap of all.filter(({ kind }) => kind === 'bucket-key')) {
    const found = epochKeys.length === 0 ? undefined : bucketKeyIn(wrap, epochKeys, wrap.ids);
    if (found) add(found);
    else if (epochKeys.length > 0) unopened.push(wrap);
  }
  const ids = [...records.keys()];
  let left = MOST_STRAY_TRIALS;
  let untried = 0;
  for (const wrap of unopened) {
    left -= ids.length * epochKeys.length * wrap.numbers.size;
    const found = left < 0 ? undefined : bucketKeyIn(wrap, epochKeys, ids);
    if (found) add(found);
    if (left < 0) untried += 1;
  }
  if (untried > 0) stray(untried);
  return { epochKeys: epochKeys.length, bucketKeys: [...records.values()].flat().length, records };
};

const epochKeysIn = (wrap: Wrap, roots: readonly Root[], installations: ReadonlySet<string>): EpochKey[] => {
  for (const root of roots)
    for (const installation of installations)
      for (const mirror of wrap.ids)
        for (const epoch of wrap.numbers) {
          const key = openEnvelope('epoch-key', root.key, wrap.envelope, [installation, mirror, epoch]);
          if (key) return [{ key, installation, epoch, root }];
        }
  return [];
};

const bucketKeyIn = (wrap: Wrap, epochKeys: readonly EpochKey[], ids: Iterable<string>): RecordsKey | undefined => {
  for (const bucketId of ids)
    for (const { key, installation, epoch, root } of epochKeys)
      for (const generation of wrap.numbers) {
        const bucketKey = openEnvelope('bucket-key', key, wrap.envelope, [installation, bucketId, generation, epoch]);
        if (bucketKey) return { key: recordsKey(bucketKey), bucketId, generation, root };
      }
  return undefined;
};

/** Each mirror has a wrap of the same key: one root of it is enough of a path. */
const unique = (keys: readonly EpochKey[]): EpochKey[] => [
  ...new Map(keys.map((key) => [`${key.epoch} ${key.key.toString('latin1')}`, key] as const)).values(),
];
