import type { KeyFinding } from './keys/key-findings.js';
import type { Person } from './keys/person.js';
import type { ProofRequest } from './proof.js';
import type { ReadingResult, Unread } from './reading/reading.js';
import type { ValueFinding, ValueFindings } from './values/value-findings.js';

/** What a search has read, what it could not read, and what it found. No personal value, and no id but the one that was asked for. */
export interface ProofReport {
  readonly version: 1;
  readonly id: string;
  readonly namedBy: Person['namedBy'];
  readonly begunAt: string;
  readonly endedAt: string;
  /** The system ran meanwhile: its files changed while they were read. */
  readonly running: boolean;
  readonly paths: readonly string[];
  /** How many values were given; findings name them by number, from 1. */
  readonly valuesGiven: number;
  readonly valuesFound: readonly ValueFinding[];
  /** Places that are not listed, because there are too many. */
  readonly valuesFoundBeyond: number;
  readonly keysFound: readonly KeyFinding[];
  readonly notRead: readonly Unread[];
  readonly read: {
    readonly files: number;
    readonly bytes: number;
    /** How often something was read through each kind of layer. */
    readonly through: Readonly<Record<string, number>>;
    /** Long values of PostgreSQL of which pieces are gone: searched as they stand. */
    readonly fragments: number;
    /** Root keys, wrapped keys, how many of them opened, and records of keys (anybody's) that opened with those. */
    readonly keys: KeysMet;
  };
  /** Nothing was found. */
  readonly clean: boolean;
  /** Everything was read. */
  readonly complete: boolean;
}

export interface KeysMet {
  readonly roots: number;
  readonly wraps: number;
  readonly opened: number;
  readonly records: number;
}

interface Gathered {
  readonly request: ProofRequest;
  readonly begunAt: Date;
  readonly person: Person;
  readonly readings: readonly ReadingResult[];
  readonly unread: readonly Unread[];
  readonly values: ValueFindings;
  readonly keys: readonly KeyFinding[];
  readonly met: KeysMet;
}

export const reportOf = ({ request, begunAt, person, readings, unread, values, keys, met }: Gathered): ProofReport => {
  const shown = (path: string) => values.withoutValues(path);
  const withShownFile = <T extends { readonly file: string }>(item: T): T => ({ ...item, file: shown(item.file) });
  // The first reading has read everything; a later one may have failed where it did not.
  const notRead = new Map<string, Unread>();
  for (const one of [...readings.flatMap((reading) => reading.unread), ...unread]) {
    const key = `${one.file}\n${one.why}`;
    if (!notRead.has(key)) notRead.set(key, withShownFile(one));
  }
  const [first] = readings;
  if (!first) throw new Error('nothing was read');
  return {
    version: 1,
    id: request.id,
    namedBy: person.namedBy,
    begunAt: begunAt.toISOString(),
    endedAt: new Date().toISOString(),
    running: request.running ?? false,
    paths: request.paths.map(shown),
    valuesGiven: request.values.length,
    valuesFound: values.all.map(withShownFile),
    valuesFoundBeyond: values.more,
    keysFound: keys.map((key) => ({ ...withShownFile(key), rootFile: shown(key.rootFile) })),
    notRead: [...notRead.values()],
    read: { files: first.files, bytes: first.bytes, through: first.through, fragments: first.fragments, keys: met },
    clean: values.all.length === 0 && keys.length === 0,
    complete: notRead.size === 0,
  };
};
