import type { Draft } from '#events';
import type { ActorId } from '#kernel';
import { MakulerError } from '#kernel';
import type { Decider, RecordedEvent } from '#ledger';
import { isEvent } from '#ledger';
import { MirrorAdded, MirrorRetired, MirrorRetirementProposed } from './custodian.events.js';

/** What the log knows of the mirrors, by id. */
export interface MirrorLedger {
  readonly added: ReadonlySet<string>;
  /** Who proposed the retirement. */
  readonly proposed: ReadonlyMap<string, ActorId>;
  readonly retired: ReadonlySet<string>;
}

export const mirrorLedger: Decider<MirrorLedger> = {
  initial: { added: new Set(), proposed: new Map(), retired: new Set() },
  evolve(state: MirrorLedger, event: RecordedEvent): MirrorLedger {
    if (isEvent(event, MirrorAdded)) return { ...state, added: new Set(state.added).add(event.data.mirrorId) };
    if (isEvent(event, MirrorRetirementProposed))
      return { ...state, proposed: new Map(state.proposed).set(event.data.mirrorId, event.metadata.actor) };
    if (isEvent(event, MirrorRetired)) return { ...state, retired: new Set(state.retired).add(event.data.mirrorId) };
    return state;
  },
};

/** The vault has enrolled it; said once. */
export const recordAdded = ({ added }: MirrorLedger, mirrorId: string): Draft<any>[] =>
  added.has(mirrorId) ? [] : [MirrorAdded.of({ mirrorId })];

/** Who proposed first stays the one who did: a second person who proposes too has not approved. */
export const proposeRetirement = ({ proposed }: MirrorLedger, mirrorId: string): Draft<any>[] =>
  proposed.has(mirrorId) ? [] : [MirrorRetirementProposed.of({ mirrorId })];

/** Throws `not-found` for a retirement that nobody proposed, `four-eyes` for whoever did. */
export const assertMayApprove = ({ proposed }: MirrorLedger, mirrorId: string, actor: ActorId): void => {
  const proposer = proposed.get(mirrorId);
  if (proposer === undefined) throw new MakulerError('not-found');
  if (proposer === actor) throw new MakulerError('four-eyes');
};

/** The vault has retired it; said once. */
export const recordRetired = ({ retired }: MirrorLedger, mirrorId: string): Draft<any>[] =>
  retired.has(mirrorId) ? [] : [MirrorRetired.of({ mirrorId })];
