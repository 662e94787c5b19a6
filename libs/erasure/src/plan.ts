import { createHash } from 'node:crypto';
import type { ErasureId } from '#kernel';
import type { PlannedScope, PlanLine } from './erasure.events.js';

/**
 * Whether an item counts for the hash. The scope of this very erasure comes into being with the plan, and looking at a
 * plan leaves a trace: both are always shredded, and both would change the hash of a plan that nobody changed.
 */
const counts = (item: PlannedScope, erasureId: ErasureId): boolean =>
  item.category !== 'trace' && !(item.category === 'request' && item.partition === erasureId);

/**
 * What is approved: SHA-256 (hex) over what happens to which scope, in any order of the items, and without the free text
 * that explains it. The salt (32 random bytes, hex, kept sealed until the person's keys go) makes the hash useless to
 * whoever would try purchases of the log against it.
 */
export const planHash = (items: readonly PlannedScope[], erasureId: ErasureId, salt: string): string => {
  const lines = items
    .filter((item) => counts(item, erasureId))
    .map(({ category, partition, action, until, untilEvent, law }) =>
      JSON.stringify([category, partition, action, until ?? null, untilEvent ?? null, law ?? null]),
    )
    .sort();
  return createHash('sha256')
    .update('makuler erasure plan 1\n')
    .update(`${salt}\n`)
    .update(lines.join('\n'))
    .digest('hex');
};

/**
 * The plan as counts, in a fixed order. Only a statutory date (`retain`: the end of a fiscal year) may stand in clear; the
 * day on which a deferral is looked at comes from a purchase or case and would point to it.
 */
export const planSummary = (items: readonly PlannedScope[]): readonly PlanLine[] => {
  const lines = new Map<string, PlanLine>();
  for (const { category, action, until, untilEvent, law } of items) {
    const line = {
      category,
      action,
      ...(action === 'retain' && until !== undefined ? { until } : {}),
      ...(untilEvent === undefined ? {} : { untilEvent }),
      ...(law === undefined ? {} : { law }),
    };
    const key = JSON.stringify(line);
    lines.set(key, { ...line, count: (lines.get(key)?.count ?? 0) + 1 });
  }
  return [...lines].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, line]) => line);
};

/** How many scopes of each category an action concerns. */
export const countsOf = (lines: readonly PlanLine[], concerns: (line: PlanLine) => boolean): Record<string, number> => {
  const counted: Record<string, number> = {};
  for (const line of lines.filter(concerns)) counted[line.category] = (counted[line.category] ?? 0) + line.count;
  return counted;
};
