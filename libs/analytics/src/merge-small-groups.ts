import Big from 'big.js';

/** A group as the database gives it: the values grouped by, how many it counts, and exact measures. */
export interface Group {
  readonly by: Readonly<Record<string, string | null>>;
  /** What the policy's minimum is compared with: purchases, cases or persons. */
  readonly size: number;
  readonly sums: Readonly<Record<string, string>>;
}

/** A group as it is shown; `merged` says of how many small groups it is the sum. */
export interface ShownGroup extends Group {
  readonly merged: number;
}

/**
 * Merges groups below the minimum into one that stands last, with nothing to tell them apart by. If what they add up to is
 * still too small, the smallest of the others goes into it too: one small group hidden alone could be had by subtraction.
 * `keep` names what must not be added up (a currency): there is one merged group for each of its values.
 */
export const mergeSmallGroups = (
  groups: readonly Group[],
  minimum: number,
  keep: readonly string[] = [],
): ShownGroup[] => {
  const apart = Map.groupBy(groups, ({ by }) => JSON.stringify(keep.map((name) => by[name] ?? null)));
  return [...apart.values()].flatMap((some) => merge(some, minimum, keep));
};

const merge = (groups: readonly Group[], minimum: number, keep: readonly string[]): ShownGroup[] => {
  const bySize = groups
    .map((group, index) => ({ group, index }))
    .sort((a, b) => a.group.size - b.group.size || a.index - b.index);
  const hidden = new Set<number>();
  let size = 0;
  for (const { group, index } of bySize) {
    if (group.size >= minimum && (hidden.size === 0 || size >= minimum)) break;
    hidden.add(index);
    size += group.size;
  }
  const shown = groups.filter((_, index) => !hidden.has(index)).map((group) => ({ ...group, merged: 0 }));
  const small = groups.filter((_, index) => hidden.has(index));
  return small.length === 0 ? shown : [...shown, sumOf(small, keep)];
};

const sumOf = (groups: readonly Group[], keep: readonly string[]): ShownGroup => {
  const first = groups[0]!;
  const nothing = Object.keys(first.by).map((name) => [name, keep.includes(name) ? (first.by[name] ?? null) : null]);
  const sums = Object.keys(first.sums).map((name) => [
    name,
    groups.reduce((sum, group) => sum.plus(group.sums[name] ?? 0), new Big(0)).toFixed(),
  ]);
  return {
    by: Object.fromEntries(nothing) as Group['by'],
    size: groups.reduce((size, group) => size + group.size, 0),
    sums: Object.fromEntries(sums) as Group['sums'],
    merged: groups.length,
  };
};
