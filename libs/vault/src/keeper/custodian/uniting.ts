import type { CustodianState, JournalEntry, RetiringEpoch, StateChange } from './custodian-state.js';

/** All items of the lists, those of one key merged. */
const byId = <T>(lists: readonly (readonly T[])[], key: (item: T) => string, merge: (a: T, b: T) => T): T[] => {
  const all = new Map<string, T>();
  for (const item of lists.flat()) {
    const present = all.get(key(item));
    all.set(key(item), present === undefined ? item : merge(present, item));
  }
  return [...all.values()];
};

/** An erasure is never weakened to an expiry, nor an epoch lowered. */
export const strongerEntry = (a: JournalEntry, b: JournalEntry): JournalEntry => ({
  scopeId: a.scopeId,
  kind: a.kind === 'erased' || b.kind === 'erased' ? 'erased' : 'expired',
  epoch: Math.max(a.epoch, b.epoch),
});

/** A root that is destroyed on one branch is destroyed; a date is the later one. */
const mergedRetiring = (a: RetiringEpoch, b: RetiringEpoch): RetiringEpoch => ({
  epoch: a.epoch,
  sealedAt: a.sealedAt < b.sealedAt ? a.sealedAt : b.sealedAt,
  destroyAt: a.destroyAt > b.destroyAt ? a.destroyAt : b.destroyAt,
  confirmed: [...new Set([...a.confirmed, ...b.confirmed])],
});

/**
 * What `ours` takes over from a fork: everything that its journal, its closed owners and its lists of what exists have and
 * ours lack. Nothing that either of them holds is lost. Who is enrolled stays as in ours.
 */
export const unite = (ours: CustodianState, fork: CustodianState): StateChange => ({
  ...epochsOfBoth(ours, fork),
  phase: ours.phase === 'founded' || fork.phase === 'founded' ? 'founded' : 'founding',
  pending: byId(
    [ours.pending, fork.pending],
    ({ orderId }) => orderId,
    (a, b) => ({
      orderId: a.orderId,
      entries: byId([a.entries, b.entries], ({ scopeId }) => scopeId, strongerEntry),
    }),
  ),
  shredded: byId([ours.shredded, fork.shredded], ({ scopeId }) => scopeId, strongerEntry),
  closed: byId(
    [ours.closed, fork.closed],
    ({ id }) => id,
    (a, b) => (a.epoch >= b.epoch ? a : b),
  ),
  checkpoint: laterCheckpoint(ours.checkpoint, fork.checkpoint),
});

/** An epoch that ours has left behind stays so: its root is gone from every mirror that confirmed, and goes from the fork's too. */
const epochsOfBoth = (ours: CustodianState, fork: CustodianState): Pick<CustodianState, 'epochs' | 'retiring'> => {
  const isKnown = (epoch: number) => ours.epochs.includes(epoch) || epoch > ours.epochs.at(-1)!;
  const retiring = byId([ours.retiring, fork.retiring], ({ epoch }) => String(epoch), mergedRetiring);
  return {
    epochs: [...new Set([...ours.epochs, ...fork.epochs])].filter(isKnown),
    retiring: retiring.filter(({ epoch }) => isKnown(epoch)),
  };
};

const laterCheckpoint = (a: CustodianState['checkpoint'], b: CustodianState['checkpoint']) =>
  a && b ? (BigInt(a.sequence) >= BigInt(b.sequence) ? a : b) : (a ?? b);

/** Notes which mirrors have destroyed which roots; `undefined` when the state says so already. */
export const withConfirmations = (
  { retiring, mirrors }: CustodianState,
  destroyed: ReadonlyMap<number, ReadonlySet<string>>,
): Pick<CustodianState, 'retiring'> | undefined => {
  let changed = false;
  const noted = retiring.map((one) => {
    const more = [...(destroyed.get(one.epoch) ?? [])].filter(
      (id) => mirrors.includes(id) && !one.confirmed.includes(id),
    );
    if (more.length === 0) return one;
    changed = true;
    return { ...one, confirmed: [...one.confirmed, ...more] };
  });
  return changed ? { retiring: noted } : undefined;
};
