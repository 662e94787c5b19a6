import type { KnownSet } from './inventory.js';

const DAY_MS = 86_400_000;
/** Long enough to take one and to drill it. */
const NOTICE_MS = 3 * DAY_MS;

/**
 * What somebody should look after, in sentences: that there is no set that can be restored, or that the last one runs out. Sets
 * that were not read back whole count for nothing.
 */
export const backupWarnings = (sets: readonly KnownSet[], now: Date): readonly string[] => {
  const good = sets.filter(({ state, verifiedAt }) => state === 'good' && verifiedAt !== undefined);
  if (good.length === 0)
    return [
      'There is no backup that can be restored: take one with `makuler backup DIR`, or give `up` a --backup-dir.',
    ];
  // Of a vault that can't be asked other things are said than this.
  if (good.some(({ restorableUntil }) => !(restorableUntil instanceof Date))) return [];
  const last = Math.max(...good.map(({ restorableUntil }) => (restorableUntil as Date).getTime()));
  if (last - now.getTime() > NOTICE_MS) return [];
  return [
    `The last good backup can be restored until ${new Date(last).toISOString()} only: the roots of its epoch are destroyed then. Take another.`,
  ];
};
