import { createHash } from 'node:crypto';
import type { OwnerRef, ScopeId } from '#kernel';
import { GateRefusal } from '../gate.js';

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

/**
 * What every mirror holds alike: the current state, no history. Ids only. Once an order is applied, its entries lie among
 * all others, sorted by id, without the order: a list of one person's scopes would join that person's streams.
 */
export interface CustodianState {
  readonly installation: string;
  /** `founding` until the vault's database is committed: only then may an empty database be filled. */
  readonly phase: 'founding' | 'founded';
  readonly number: number;
  /** Hashes of the states before this one, the latest first; a mirror that holds one of them is a strict predecessor. */
  readonly ancestors: readonly string[];
  /** Ids of the enrolled mirrors, sorted. */
  readonly mirrors: readonly string[];
  /** Epochs whose roots exist, the current one last. */
  readonly epochs: readonly number[];
  readonly pending: readonly PendingOrder[];
  readonly shredded: readonly JournalEntry[];
  /** Owners who are gone for ever. */
  readonly closed: readonly OwnerRef[];
}

/** How far back a mirror may lie and still be recognised as a predecessor, in states. */
const ANCESTORS = 256;

const byKey =
  <T>(key: (item: T) => string) =>
  (a: T, b: T) =>
    key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0;

/** The state as the bytes that are stored and hashed: JSON with the members in this order. */
const bodyOf = (state: CustodianState): string =>
  JSON.stringify({
    installation: state.installation,
    phase: state.phase,
    number: state.number,
    ancestors: state.ancestors,
    mirrors: [...state.mirrors].sort(),
    epochs: [...state.epochs].sort((a, b) => a - b),
    pending: state.pending.map(({ orderId, entries }) => ({
      orderId,
      entries: entries.map(entryOf).sort(byKey((e) => e[0])),
    })),
    shredded: state.shredded.map(entryOf).sort(byKey((e) => e[0])),
    closed: state.closed.map(({ kind, id }) => ({ kind, id }) as OwnerRef).sort(byKey((c) => c.id)),
  });
type StoredEntry = readonly [string, Forgetting, number];
const entryOf = ({ scopeId, kind, epoch }: JournalEntry): StoredEntry => [scopeId, kind, epoch];
const entryFrom = ([scopeId, kind, epoch]: StoredEntry): JournalEntry => ({ scopeId: scopeId as ScopeId, kind, epoch });

const hashOfBody = (body: string): string =>
  createHash('sha256').update('makuler/custodian-state/1\n').update(body).digest('hex');

/** SHA-256, hex. Equal states of two mirrors have equal hashes. */
export const hashOf = (state: CustodianState): string => hashOfBody(bodyOf(state));

/** The state that follows: numbered on and linked to the one before. */
export const successorOf = (
  state: CustodianState,
  change: Partial<Omit<CustodianState, 'installation' | 'number' | 'ancestors'>>,
): CustodianState => ({
  ...state,
  ...change,
  number: state.number + 1,
  ancestors: [hashOf(state), ...state.ancestors].slice(0, ANCESTORS),
});

const HEADER = 'makuler/custodian/1';

/** Two lines: `makuler/custodian/1 <mirror> <hash of line 2>`, and the state as JSON. */
export const encodeState = (mirror: string, state: CustodianState): string => {
  const body = bodyOf(state);
  return `${HEADER} ${mirror} ${hashOfBody(body)}\n${body}\n`;
};

/** The state and the mirror's id. Throws a GateRefusal that names `place` when the text is torn, changed or of another format. */
export const decodeState = (
  text: string,
  place: string,
): { readonly mirror: string; readonly state: CustodianState } => {
  const [header = '', body = '', end] = text.split('\n');
  const [format, mirror, hash] = header.split(' ');
  if (format !== HEADER || !mirror || end !== '' || hash !== hashOfBody(body))
    throw new GateRefusal('custodian-damaged', `The custodian's state at ${place} is damaged or of an unknown format.`);
  const stored = JSON.parse(body) as Omit<CustodianState, 'pending' | 'shredded'> & {
    pending: { orderId: string; entries: StoredEntry[] }[];
    shredded: StoredEntry[];
  };
  return {
    mirror,
    state: {
      ...stored,
      pending: stored.pending.map(({ orderId, entries }) => ({ orderId, entries: entries.map(entryFrom) })),
      shredded: stored.shredded.map(entryFrom),
    },
  };
};
