import type { OwnerRef, ScopeId } from '#kernel';
import type { WitnessedCheckpoint } from '../../witness-contract.js';

export type Forgetting = 'erased' | 'expired';

/**
 * A shred in the journal. `epoch` is the highest epoch that ever wrapped its bucket key: the entry may leave the journal
 * only after every root of that epoch and of those before it was destroyed on every mirror. Its age plays no part.
 */
export interface JournalEntry {
  readonly scopeId: ScopeId;
  readonly kind: Forgetting;
  readonly epoch: number;
}

/** An order that passed the point of no return, until its tombstones and its receipt are committed. */
export interface PendingOrder {
  readonly orderId: string;
  readonly entries: readonly JournalEntry[];
}

/** An owner who is gone for ever; `epoch` is the current one when it was closed, and says as in the journal when this may leave. */
export type ClosedOwner = OwnerRef & { readonly epoch: number };

/** A sealed epoch whose root may still exist somewhere. */
export interface RetiringEpoch {
  readonly epoch: number;
  /** Instants, ISO 8601. */
  readonly sealedAt: string;
  readonly destroyAt: string;
  /** Ids of the mirrors that have destroyed their root; not empty means that the destruction has begun, and has no way back. */
  readonly confirmed: readonly string[];
}

/** A mirror that was taken out by a recorded, approved command: its confirmations are no longer waited for. */
export interface RetiredMirror {
  readonly id: string;
  readonly at: string;
}

/**
 * What every mirror holds alike: the current state, no history. Ids only. Once an order is applied, its entries lie among
 * all others, sorted by id, without the order: a list of one person's scopes would join that person's streams.
 */
export interface CustodianState {
  /** Of its stored bytes, and so of its hash. Every new state is of format 2. */
  readonly format: 1 | 2;
  readonly installation: string;
  /** `founding` until the vault's database is committed: only then may an empty database be filled. */
  readonly phase: 'founding' | 'founded';
  readonly number: number;
  /** Hashes of the states before this one, the latest first; a mirror that holds one of them is a strict predecessor. */
  readonly ancestors: readonly string[];
  /** Ids of the enrolled mirrors, sorted. */
  readonly mirrors: readonly string[];
  /** Epochs whose root may exist on any mirror, the current one last. */
  readonly epochs: readonly number[];
  readonly pending: readonly PendingOrder[];
  readonly shredded: readonly JournalEntry[];
  readonly closed: readonly ClosedOwner[];
  readonly retiring: readonly RetiringEpoch[];
  /** The last checkpoint of the log that the vault was given. */
  readonly checkpoint: WitnessedCheckpoint | null;
  readonly retiredMirrors: readonly RetiredMirror[];
}

/** Of a new custodian: its mirrors and one epoch, nothing in the journal. `after`: number and epoch of one that is lost. */
export const firstState = (
  installation: string,
  mirrors: readonly string[],
  after: { readonly number: number; readonly epoch: number },
): CustodianState => ({
  ...{ format: 2, installation, phase: 'founding', number: after.number + 1, ancestors: [] },
  ...{ mirrors: [...mirrors].sort(), epochs: [after.epoch + 1] },
  ...{ pending: [], shredded: [], closed: [], retiring: [], checkpoint: null, retiredMirrors: [] },
});

/**
 * Epochs whose root can still be relied upon, ascending. From the first mirror that has destroyed its root there is no way
 * back: what needs that root is a copy from before, though another mirror may open it for a while.
 */
export const survivingEpochs = ({ epochs, retiring }: CustodianState): readonly number[] =>
  epochs.filter((epoch) => !retiring.some((one) => one.epoch === epoch && one.confirmed.length > 0));

/** What a step may change; number, ancestors and format follow by themselves. */
export type StateChange = Partial<Omit<CustodianState, 'format' | 'installation' | 'number' | 'ancestors'>>;

/** How far back a mirror may lie and still be recognised as a predecessor, in states; further if it was known to be away. */
export const ANCESTORS = 256;
