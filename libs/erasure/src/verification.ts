import { randomInt } from 'node:crypto';
import type { OwnerRef } from '#kernel';
import type { Ledger, RecordedEvent } from '#ledger';
import type { ScopeInfo } from '#vault/shredder';
import { erasureStream } from './erasure-case.js';

/** How many scopes of each category may still be opened. */
export type Kept = Readonly<Record<string, number>>;

/** Whether of no category more keys live than the plan keeps. `scopes`: all that the vault can name of the owner, asked now. */
export const isGone = (scopes: readonly ScopeInfo[], kept: Kept): boolean => {
  const counts: Record<string, number> = {};
  for (const { category, state } of scopes) if (state === 'live') counts[category] = (counts[category] ?? 0) + 1;
  return Object.entries(counts).every(([category, count]) => count <= (kept[category] ?? 0));
};

const [NEWEST, OLDEST, PAGE, PAGES] = [128n, 64n, 16n, 4];

/**
 * Whether nothing reads in the owner's own stream, by the way that every reader takes, but in categories that the plan keeps. All of
 * a stream that is short; of a long one both ends, where the card and what sealed the plan stand, and some that nobody can foresee.
 */
export const readsAsGone = async (ledger: Ledger, owner: OwnerRef, kept: Kept): Promise<boolean> => {
  const stream = erasureStream(owner);
  const newest = await ledger.tail(stream, { maxCount: Number(NEWEST) });
  const before = newest.at(-1)?.revision ?? 0n;
  const pages = await Promise.all(
    placesBefore(before).map(({ end, count }) => ledger.tail(stream, { before: end, maxCount: Number(count) })),
  );
  return [newest, ...pages].flat().every((event) => readsNothingBut(event, kept));
};

/** Which pages are opened of the first `length` events: all of them, if they are few. Each is named by the revision after its last. */
export const placesBefore = (length: bigint): readonly { readonly end: bigint; readonly count: bigint }[] => {
  if (length === 0n) return [];
  if (length <= OLDEST + BigInt(PAGES) * PAGE) return [{ end: length, count: length }];
  const between = Number(length - OLDEST - PAGE);
  const somewhere = () => ({ end: OLDEST + PAGE + BigInt(randomInt(between + 1)), count: PAGE });
  return [{ end: OLDEST, count: OLDEST }, ...Array.from({ length: PAGES }, somewhere)];
};

const readsNothingBut = ({ scopes }: RecordedEvent, kept: Kept): boolean =>
  scopes.every(({ state, category }) => state !== 'live' || Boolean(kept[category]));
