import type { Lookup } from '#lookup';
import { sourceWord } from '#lookup';
import { currentContext, inContext, isMakulerError, valueOf } from '#kernel';
import type { ErrorCode, InputProblem, Opened } from '#kernel';
import type { Ledger } from '#ledger';
import type { ImportKind, ImportState, RowReservation } from './import-state.js';

/** A row as it was sent: its line in the file, the source's own key, and a record in the words of the route for one. */
export interface SentRow {
  readonly line: number;
  readonly key: string;
  readonly customerKey?: string | undefined;
  readonly record: Readonly<Record<string, unknown>>;
}

/** What became of a row. Holds ids, codes and messages without values. */
export interface RowResult {
  readonly line: number;
  readonly outcome: 'created' | 'present' | 'rejected';
  readonly id?: string;
  readonly warnings?: readonly string[];
  /** Categories that were past their maximum when the row came: not stored, but counted. */
  readonly notStored?: readonly string[];
  readonly errors?: readonly InputProblem[];
}

/** What a stored row says of itself. */
export interface StoredRow {
  readonly id: string;
  readonly warnings?: readonly InputProblem[];
  readonly notStored?: readonly string[];
  /** Whether some sealed part carries the source key; false where all of it was past its maximum. */
  readonly findable: boolean;
}
/** Stores one row through the same command as over HTTP. Throws MakulerError, which rejects the row. */
export type StoreRow = (row: SentRow, customerId: string | undefined) => Promise<StoredRow>;

/** An error of our side: it ends the batch instead of rejecting rows, and the batch is sent again. */
const OURS: ReadonlySet<ErrorCode> = new Set([
  'vault-unavailable',
  'store-unavailable',
  'database-unavailable',
  'lookup-warming',
  'conflict',
  'clock-implausible',
]);
const AT_ONCE = 8;
const LOOKUP_MS = 5_000;
const STREAMS = { customers: 'customer', purchases: 'purchase', service: 'service' } as const;

/**
 * Imports batches of rows. A row is known by its source's key: first in the look-up index, which holds everything that the
 * log held when the batch began, then by the ids reserved for it. So a batch that is sent again, by whomever and after
 * whatever crash, adds nothing that is there.
 */
export class ImportRows {
  constructor(
    private readonly ledger: Ledger,
    private readonly lookup: Lookup,
    private readonly state: ImportState,
  ) {}

  run(kind: ImportKind, source: string, rows: readonly SentRow[], store: StoreRow): Promise<readonly RowResult[]> {
    return this.state.exclusively(source, kind, async () => {
      // Whatever an earlier batch wrote, here or in another process, is in the index before the first row is judged.
      await this.lookup.waitFor(await this.ledger.head(), LOOKUP_MS);
      const { dryRun, ids } = currentContext();
      const keys = rows.map(({ key }) => key);
      const reservations: readonly RowReservation[] = dryRun
        ? rows.map(() => ({ done: false, ids: ids.fork() }))
        : await this.state.reserve(source, kind, keys);
      const results: RowResult[] = [];
      const seen = new Map<string, Promise<RowResult>>();
      const findable: string[] = [];
      const kept: string[] = [];
      const one = async (row: SentRow, index: number): Promise<RowResult> => {
        const reservation = reservations[index]!;
        if (reservation.done) return { line: row.line, outcome: 'present' };
        const present = await this.#idOf(kind, source, row.key);
        findable.push(row.key);
        if (present !== undefined) return { line: row.line, outcome: 'present', id: present };
        return inContext({ ...currentContext(), ids: reservation.ids }, async () => {
          const stored = await store(row, await this.#customerOf(source, row));
          if (!stored.findable) kept.push(...findable.splice(findable.indexOf(row.key), 1));
          return resultOf(row, stored);
        }).catch((error: unknown) => rejected(row, error));
      };
      const queue = rows.entries();
      const ended = new AbortController();
      const work = async () => {
        for (const [index, row] of queue) {
          if (ended.signal.aborted) return;
          const earlier = seen.get(row.key);
          const result = earlier ? earlier.then((first) => repeated(row, first)) : one(row, index);
          if (!earlier) seen.set(row.key, result);
          // An outage ends the batch: what is left of it would only meet the same.
          results[index] = await result.catch((error: unknown) => {
            ended.abort();
            throw error;
          });
        }
      };
      await nothingUnderWay(Array.from({ length: AT_ONCE }, work));
      if (!dryRun) await this.state.settle(source, kind, findable, kept);
      return results;
    });
  }

  async #customerOf(source: string, { customerKey }: SentRow): Promise<string | undefined> {
    return customerKey === undefined ? undefined : this.#idOf('customers', source, customerKey);
  }

  /** The record of a source's key. What the index finds is verified in its stream: a forgotten record is not found. */
  async #idOf(kind: ImportKind, source: string, key: string): Promise<string | undefined> {
    for (const id of this.lookup.find('sourceKey', sourceWord(kind, { source, key }))) {
      const events = await this.ledger.read(`${STREAMS[kind]}-${id}`);
      for (const { data } of events) {
        const found = valueOf((data as { sourceKey?: Opened<{ source: string; key: string } | null> }).sourceKey);
        if (found?.source === source && found.key === key) return id;
      }
    }
    return undefined;
  }
}

/** Waits for every worker even when one throws: no row may be under way when the batch gives its lock back. */
const nothingUnderWay = async (workers: readonly Promise<void>[]): Promise<void> => {
  await Promise.allSettled(workers);
  await Promise.all(workers);
};

/** A key that came before in the batch: what was refused then is refused again, what is there is there. */
const repeated = ({ line }: SentRow, first: RowResult): RowResult =>
  first.outcome === 'rejected' ? { ...first, line } : { line, outcome: 'present' };

const resultOf = ({ line }: SentRow, { id, warnings, notStored }: StoredRow): RowResult => ({
  line,
  outcome: 'created',
  id,
  ...(warnings && warnings.length > 0 ? { warnings: [...new Set(warnings.map(({ code }) => code))] } : {}),
  ...(notStored && notStored.length > 0 ? { notStored } : {}),
});

const rejected = ({ line }: SentRow, error: unknown): RowResult => {
  if (!isMakulerError(error) || OURS.has(error.code)) throw error;
  const { code, message, errors } = error;
  return { line, outcome: 'rejected', errors: errors.length > 0 ? errors : [{ path: 'record', code, message }] };
};
