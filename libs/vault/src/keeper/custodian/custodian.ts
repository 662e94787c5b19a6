import type { Confirm } from '../active.js';
import type { CustodianState } from './custodian-state.js';

/** What a root key wraps: the key of one epoch, for one mirror. */
export interface RootPlace {
  readonly installation: string;
  readonly epoch: number;
}

/**
 * One mirror of the custodian: the tiny keeper of root keys and of the shred journal, outside the vault's database and in
 * no backup. A root never leaves its mirror, so that a token can be one. Holds current state only, no history.
 * All methods throw a GateRefusal when the place is not fit (readable by others, inside the home) or what is there is damaged.
 */
export abstract class Custodian {
  /** Where it is, for people. */
  abstract readonly name: string;
  /** Where it is, for `openPlace`: a directory or a `pkcs11:` URI. Never holds a PIN. */
  abstract readonly place: string;
  /** Random id of the mirror. Associated data of what its roots wrap. Throws `custodian-missing` for a place never used. */
  abstract id(): Promise<string>;
  /** The id, made now when the place has never been used. Nothing else makes anything in an unused place. `confirm` as below. */
  abstract enrol(confirm?: Confirm): Promise<string>;
  /** The state last written, or `undefined` for a place that has never been used. */
  abstract readState(): Promise<CustodianState | undefined>;
  /**
   * Makes sure that nothing which another process has begun to write here becomes visible from now on. Called before the mirror is
   * looked at, by whoever has just become the one that writes; whoever wrote before asks `confirm` in the middle of each write, and
   * is refused from then on.
   */
  abstract takeOver(): Promise<void>;
  /**
   * Replaces the state: resolves when it is on disk; a crash leaves the old state or the new one. `confirm` is asked at the last
   * moment at which nothing has changed yet; what it throws is thrown.
   */
  abstract writeState(state: CustodianState, confirm?: Confirm): Promise<void>;
  /** Makes the root of an epoch, durably; `confirm` as above. A root that exists is kept: it may already wrap something. */
  abstract createRoot(epoch: number, confirm?: Confirm): Promise<void>;
  /**
   * Destroys the root of an epoch: resolves only when it is surely gone from the mirror, and nothing that a crash may undo
   * stands behind that. One that is not there is gone; whoever was interrupted calls again. `confirm` is asked before; what a
   * process that was stopped right after it destroys when it wakes up is what its successor destroys too: only a sealed epoch's
   * root on its date, by the state that both have read, and from then on there is no way back.
   */
  abstract destroyRoot(epoch: number, confirm?: Confirm): Promise<void>;
  /** Epochs whose root is here, ascending. */
  abstract epochs(): Promise<readonly number[]>;
  abstract wrapEpochKey(place: RootPlace, epochKey: Uint8Array): Promise<Uint8Array>;
  /** The epoch key, or `undefined` when it does not open under this mirror's root. Throws when the root is not here. */
  abstract unwrapEpochKey(place: RootPlace, wrapped: Uint8Array): Promise<Uint8Array | undefined>;
  /** Device that the mirror lies on, or `undefined` where that has no meaning (a token). */
  abstract device(): Promise<number | undefined>;
}
