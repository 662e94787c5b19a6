import { MakulerError } from '#kernel';
import type { Custodian } from './custodian.js';
import type { CustodianState } from './custodian-state.js';
import type { AwayMirror, AwayReason, Look } from './looking.js';
import { awayBecause, judge } from './looking.js';

/** A mirror and how it stands: `joining` has every state and may still lack the wrap of the current epoch key. */
export interface Seat {
  readonly custodian: Custodian;
  id: string | undefined;
  standing: 'present' | 'joining' | AwayMirror;
  /** What is wrong with it was found by use, and would not be found by looking: it waits for a repair. */
  awaitsRepair: boolean;
}

/** A place that the vault's database names. */
export interface KnownPlace {
  readonly id: string;
  readonly place: string;
}

/** How far a destruction has come, as ids of mirrors. */
export interface RootDestruction {
  readonly confirmed: readonly string[];
  /** Enrolled mirrors that may still hold the root. */
  readonly outstanding: readonly string[];
}

/** Of a mirror at which nobody has looked yet. */
export const newSeat = (custodian: Custodian): Seat => ({
  custodian,
  id: undefined,
  standing: awayBecause(custodian.name, undefined, 'missing'),
  awaitsRepair: false,
});
export const isThere = ({ standing }: Seat): boolean => typeof standing === 'string';

/** Those that do not count, and the enrolled ones of which no place is known. */
export const awayOf = (seats: readonly Seat[], state: CustodianState | undefined): readonly AwayMirror[] => {
  const known = new Set(seats.map(({ id }) => id));
  const nowhere = (state?.mirrors ?? []).filter((id) => !known.has(id));
  return [
    ...seats.flatMap(({ standing }) => (typeof standing === 'string' ? [] : [standing])),
    ...nowhere.map((id) => awayBecause('a place that is not configured', id, 'missing', id)),
  ];
};

/** How the mirror stands by what is there, before anything was done about it. */
export const sayHow = (seat: Seat, look: Look, newest: CustodianState | undefined): void => {
  const how = newest ? judge(look, newest) : (look.problem?.reason ?? 'missing');
  seat.id = look.id ?? seat.id;
  seat.awaitsRepair = false;
  seat.standing = how === 'current' ? 'joining' : awayBecause(seat.custodian.name, seat.id, how);
};

export const unfit = (custodian: Custodian, look: Look, reason: AwayReason): MakulerError =>
  new MakulerError('mirror-unfit', { detail: awayBecause(custodian.name, look.id, reason).message });
