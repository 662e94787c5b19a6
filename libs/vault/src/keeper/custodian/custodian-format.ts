import { createHash } from 'node:crypto';
import type { OwnerRef, ScopeId } from '#kernel';
import { GateRefusal } from '../gate.js';
import type { ClosedOwner, CustodianState, Forgetting, JournalEntry, StateChange } from './custodian-state.js';
import { ANCESTORS } from './custodian-state.js';

const byKey =
  <T>(key: (item: T) => string) =>
  (a: T, b: T) =>
    key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0;

type StoredEntry = readonly [string, Forgetting, number];
const entryOf = ({ scopeId, kind, epoch }: JournalEntry): StoredEntry => [scopeId, kind, epoch];
const entryFrom = ([scopeId, kind, epoch]: StoredEntry): JournalEntry => ({ scopeId: scopeId as ScopeId, kind, epoch });

type StoredClosed = readonly [OwnerRef['kind'], string, number];
const closedFrom = ([kind, id, epoch]: StoredClosed): ClosedOwner => ({ kind, id, epoch }) as ClosedOwner;

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
    ...(state.format === 1 ? membersOf1(state) : membersOf2(state)),
  });
const sortedClosed = (state: CustodianState) => [...state.closed].sort(byKey((owner) => owner.id));
const membersOf1 = (state: CustodianState) => ({ closed: sortedClosed(state).map(({ kind, id }) => ({ kind, id })) });
const membersOf2 = (state: CustodianState) => ({
  retiring: [...state.retiring]
    .sort((a, b) => a.epoch - b.epoch)
    .map(({ epoch, sealedAt, destroyAt, confirmed }) => ({
      epoch,
      sealedAt,
      destroyAt,
      confirmed: [...confirmed].sort(),
    })),
  checkpoint: state.checkpoint && {
    sequence: state.checkpoint.sequence,
    position: state.checkpoint.position,
    hash: state.checkpoint.hash,
    at: state.checkpoint.at,
    signature: state.checkpoint.signature,
    incarnation: state.checkpoint.incarnation,
    mintSequence: state.checkpoint.mintSequence,
  },
  closed: sortedClosed(state).map(({ kind, id, epoch }) => [kind, id, epoch] satisfies StoredClosed),
  retiredMirrors: [...state.retiredMirrors].sort(byKey(({ id }) => id)).map(({ id, at }) => ({ id, at })),
});

const hashOfBody = (format: CustodianState['format'], body: string): string =>
  createHash('sha256').update(`makuler/custodian-state/${format}\n`).update(body).digest('hex');

/** States never change: what stands for one is made once, for a journal of a hundred thousand entries takes its time. */
const WRITTEN = new WeakMap<CustodianState, { readonly body: string; readonly hash: string }>();
const writtenOf = (state: CustodianState): { readonly body: string; readonly hash: string } => {
  const present = WRITTEN.get(state);
  if (present) return present;
  const body = bodyOf(state);
  const written = { body, hash: hashOfBody(state.format, body) };
  WRITTEN.set(state, written);
  return written;
};

/** SHA-256, hex. Equal states of two mirrors have equal hashes. */
export const hashOf = (state: CustodianState): string => writtenOf(state).hash;

/**
 * The state that follows: numbered on and linked to the one before, in the present format. `pinned` hashes stay among the
 * ancestors however old they are: a mirror that is away may hold that state, and must be recognised when it comes back.
 */
export const successorOf = (
  state: CustodianState,
  change: StateChange,
  pinned: ReadonlySet<string> = new Set<string>(),
): CustodianState => ({
  ...state,
  ...change,
  format: 2,
  // As a mirror gives them back: whoever reads a state has the same as whoever wrote it.
  shredded: [...(change.shredded ?? state.shredded)].sort(byKey(({ scopeId }) => scopeId)),
  epochs: [...(change.epochs ?? state.epochs)].sort((a, b) => a - b),
  mirrors: [...(change.mirrors ?? state.mirrors)].sort(),
  number: state.number + 1,
  ancestors: [hashOf(state), ...state.ancestors].filter((hash, index) => index < ANCESTORS || pinned.has(hash)),
});

const HEADER = /^makuler\/custodian\/([12])$/;

/** Two lines: `makuler/custodian/<format> <mirror> <hash of line 2>`, and the state as JSON. */
export const encodeState = (mirror: string, state: CustodianState): string => {
  const { body, hash } = writtenOf(state);
  return `makuler/custodian/${state.format} ${mirror} ${hash}\n${body}\n`;
};

type Stored = Omit<CustodianState, 'format' | 'pending' | 'shredded' | 'closed'> & {
  pending: { orderId: string; entries: StoredEntry[] }[];
  shredded: StoredEntry[];
};
type Stored1 = Stored & { closed: OwnerRef[] };
type Stored2 = Stored & { closed: StoredClosed[] };

/** The state and the mirror's id. Throws a GateRefusal that names `place` when the text is torn, changed or of another format. */
export const decodeState = (
  text: string,
  place: string,
): { readonly mirror: string; readonly state: CustodianState } => {
  const [header = '', body = '', end] = text.split('\n');
  const [name = '', mirror, hash] = header.split(' ');
  const format = Number(HEADER.exec(name)?.[1]) as CustodianState['format'];
  if (!format || !mirror || end !== '' || hash !== hashOfBody(format, body))
    throw new GateRefusal('custodian-damaged', `The custodian's state at ${place} is damaged or of an unknown format.`);
  const stored = JSON.parse(body) as Stored;
  return {
    mirror,
    state: {
      ...stored,
      ...(format === 1 ? from1(stored as Stored1) : { closed: (stored as Stored2).closed.map(closedFrom) }),
      format,
      pending: stored.pending.map(({ orderId, entries }) => ({ orderId, entries: entries.map(entryFrom) })),
      shredded: stored.shredded.map(entryFrom),
    },
  };
};

/** Format 1 knew no sealed epochs, so whoever was closed then was closed under the current one. */
const from1 = ({ closed, epochs }: Stored1) => ({
  closed: closed.map((owner): ClosedOwner => ({ ...owner, epoch: Math.max(...epochs) })),
  retiring: [],
  checkpoint: null,
  retiredMirrors: [],
});
