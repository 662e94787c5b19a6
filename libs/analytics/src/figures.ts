import type { Kysely, RawBuilder } from 'kysely';
import { sql } from 'kysely';
import type { Group } from './merge-small-groups.js';
import { mergeSmallGroups } from './merge-small-groups.js';

/** What can be asked of one table of facts: by what it can be grouped, and what is measured. */
export interface Facts {
  readonly table: string;
  /** The column of the day that `from` and `to` compare with. */
  readonly day: string;
  readonly dimensions: Readonly<Record<string, RawBuilder<unknown>>>;
  readonly measures: Readonly<Record<string, RawBuilder<unknown>>>;
  /** What the policy's minimum group is compared with. */
  readonly size: RawBuilder<unknown>;
  /** Dimensions that are always grouped by, because sums over them mean nothing. */
  readonly always: readonly string[];
}

export interface FiguresWanted {
  readonly by: readonly string[];
  /** First and last day, both inclusive; Europe/Oslo. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

/** One row of an answer: what it was grouped by, the measures, and of how many small groups it is the sum. */
export type Figure = Readonly<Record<string, string | number | null>>;

/** Groups, sums exactly, merges small groups; in the order of the groups, so that the same facts give the same bytes. */
export const figuresOf = async (
  db: Kysely<any>,
  facts: Facts,
  { by, from, to }: FiguresWanted,
  minimumGroup: number,
): Promise<readonly Figure[]> => {
  const names = [...new Set([...by, ...facts.always])];
  const dimensions = names.map((name) => ({ name, value: facts.dimensions[name]! }));
  const conditions = [
    ...(from === undefined ? [] : [sql`${sql.ref(facts.day)} >= ${from}::date`]),
    ...(to === undefined ? [] : [sql`${sql.ref(facts.day)} <= ${to}::date`]),
  ];
  const columns = [
    ...dimensions.map(({ name, value }) => sql`(${value})::text as ${sql.ref(name)}`),
    ...Object.entries(facts.measures).map(([name, value]) => sql`(${value})::text as ${sql.ref(name)}`),
    sql`(${facts.size})::integer as size`,
  ];
  const places = names.map((_, index) => sql.lit(index + 1));
  const order = names.map((name) => sql`${sql.ref(name)} collate "C" nulls last`);
  const { rows } = await sql<Record<string, string | null> & { size: number }>`
    select * from (
      select ${sql.join(columns)} from ${sql.table(facts.table)}
      ${conditions.length === 0 ? sql`` : sql`where ${sql.join(conditions, sql` and `)}`}
      ${names.length === 0 ? sql`` : sql`group by ${sql.join(places)}`}
    ) as grouped ${names.length === 0 ? sql`` : sql`order by ${sql.join(order)}`}`.execute(db);
  const groups = rows
    .filter(({ size }) => size > 0)
    .map(({ size, ...row }): Group => ({
      by: pick(row, names),
      size,
      sums: pick(row, Object.keys(facts.measures)) as Group['sums'],
    }));
  return mergeSmallGroups(groups, minimumGroup, facts.always).map(({ by: values, sums, merged }) => ({
    ...values,
    ...sums,
    mergedGroups: merged,
  }));
};

const pick = (row: Readonly<Record<string, string | null>>, names: readonly string[]): Record<string, string | null> =>
  Object.fromEntries(names.map((name) => [name, row[name] ?? null]));
