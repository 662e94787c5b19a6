import type { JSONWebKeySet } from 'jose';
import type { EventId } from '#kernel';
import type { EventStore } from '#ledger';
import type { WitnessedCheckpoint } from '#vault/operations';
import type { AcceptedSeam } from './accepted-seams.js';
import { acceptedSeams, seamOf } from './accepted-seams.js';
import { isGenuine, isWitnessGenuine } from './checkpoint.js';
import { Comparison } from './comparison.js';
import type { Expected, Misfit } from './comparison.js';
import { fold } from './fold.js';
import { checkpointsUpTo, isCheckpoint } from './logged-checkpoints.js';
import { StreamOrder } from './stream-order.js';

export interface LogVerification {
  readonly events: number;
  /** Genuine checkpoints that the log fits. */
  readonly checkpoints: number;
  /** Up to this event the log is what it was. What follows is covered by no checkpoint yet. */
  readonly covered: number;
  /** Events that two persons have accepted to be, perhaps, not what was witnessed of them; no misfit. */
  readonly accepted: readonly Pick<AcceptedSeam, 'from' | 'to'>[];
  /** `none`: it has been given no checkpoint. `not-asked`: none of its was shown. */
  readonly custodian: 'fits' | 'does-not-fit' | 'none' | 'not-asked';
  /** Empty when all is well. */
  readonly misfits: readonly Misfit[];
}

export interface LogToVerify {
  readonly store: EventStore;
  /** The installation's published keys; best a copy from where whoever can write the log cannot write. */
  readonly keys: JSONWebKeySet;
  /** The custodian's checkpoint, asked for before this is called; null when it has none, undefined when it was not asked. */
  readonly witnessed: WitnessedCheckpoint | null | undefined;
  /** `expected` grows where the log is longer than its checkpoints say. */
  readonly onProgress?: (events: number, expected: number) => void;
}

/**
 * Folds the whole log, as it is now, and holds it against every checkpoint in it and against the custodian's. Reads only, and
 * opens nothing, so that what was erased makes no difference. Takes memory for checkpoints and streams, not for events. Throws
 * `store-unavailable`.
 */
export const verifyLog = async ({ store, keys, witnessed, onProgress }: LogToVerify): Promise<LogVerification> => {
  const head = await store.head();
  const seams = (await acceptedSeams(store)).filter(({ event }) => event.position <= head);
  const setAside = new Map<EventId, AcceptedSeam>();
  const stated: (Expected & { readonly checkpoint: EventId; readonly isGenuine: boolean })[] = [];
  for await (const checkpoint of checkpointsUpTo(store, head)) {
    const { sequence, link, eventId } = checkpoint;
    const seam = seamOf(checkpoint, seams);
    if (seam) setAside.set(eventId, seam);
    stated.push({ sequence, link, checkpoint: eventId, isGenuine: await isGenuine(checkpoint, keys) });
  }
  const misfits: Misfit[] = [];
  const expected: Expected[] = [];
  for (const { isGenuine: isSigned, ...said } of stated.toReversed()) {
    if (setAside.has(said.checkpoint)) continue;
    // One that was signed once and copied to where it does not belong is as good as forged.
    if (isSigned && said.sequence > (expected.at(-1)?.sequence ?? 0)) expected.push(said);
    else misfits.push({ kind: 'forged', checkpoint: said.checkpoint });
  }
  const last = expected.at(-1)?.sequence ?? 0;
  if (witnessed) {
    expected.push({ sequence: Number(witnessed.sequence), link: witnessed.hash, checkpoint: null });
    if (!(await isWitnessGenuine(witnessed, keys))) misfits.push({ kind: 'forged', checkpoint: null });
  }
  const comparison = new Comparison(expected);
  const order = new StreamOrder();
  const acceptedAt = new Map(seams.map((seam) => [seam.event.id, seam]));
  const placed: { readonly seam: AcceptedSeam; readonly sequence: number }[] = [];
  let misplaced: Misfit | undefined;
  let inLog = 0;
  for await (const batch of fold(store)) {
    const known = batch.filter(({ event }) => event.position <= head);
    for (const folded of known) {
      comparison.with(folded);
      if (isCheckpoint(folded.event)) inLog++;
      const seam = acceptedAt.get(folded.event.id);
      if (seam) placed.push({ seam, sequence: folded.point.sequence });
      if (!order.has(folded.event))
        misplaced ??= { kind: 'misplaced', sequence: folded.point.sequence, event: folded.event.id };
    }
    onProgress?.(comparison.events, Math.max(comparison.events, last));
    // What was appended since this began, its checkpoints too, is for the next time.
    if (known.length < batch.length) break;
  }
  const { covered, checkpoints, events } = comparison;
  const misfit = comparison.end();
  if (misfit) misfits.push(misfit);
  // Whoever can write the log can write such an event too: it is true when it was checkpointed, and behind a log that the
  // custodian does not know none is made.
  const accepted = placed.filter(({ sequence }) => sequence <= covered).map(({ seam }) => seam);
  for (const [checkpoint, seam] of setAside) if (!accepted.includes(seam)) misfits.push({ kind: 'forged', checkpoint });
  if (misplaced) misfits.push(misplaced);
  if (stated.length !== inLog) misfits.push({ kind: 'hidden', inStream: stated.length, inLog });
  return {
    ...{ events, checkpoints, covered, custodian: custodianOf(witnessed, covered), misfits },
    accepted: accepted.map(({ from, to }) => ({ from, to })),
  };
};

const custodianOf = (witnessed: LogToVerify['witnessed'], covered: number): LogVerification['custodian'] => {
  if (!witnessed) return witnessed === null ? 'none' : 'not-asked';
  return Number(witnessed.sequence) <= covered ? 'fits' : 'does-not-fit';
};
