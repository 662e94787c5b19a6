import { GateRefusal } from './gate.js';
import type { Refused } from './gate.js';

/** The gate stays closed, and the vault runs on: for the operations that lead out. */
export class ClosedGate extends Error {
  override readonly name = 'ClosedGate';
  constructor(readonly refused: Refused) {
    super(refused.why);
  }
}

/** Throws ClosedGate when the gate's verdict is to stay closed. */
export const assertFits = (refused: Refused | undefined): void => {
  if (refused) throw new ClosedGate(refused);
};

/** Which branch of a fork is the right one no program can tell: an operator has their journals united. */
export const leaveForkToOperator = (error: unknown): never => {
  if (!(error instanceof GateRefusal) || error.reason !== 'fork') throw error;
  const wayOut =
    'See `makuler custodian status`, and unite the journals with `makuler custodian repair ID`: nobody who was forgotten on either side comes back.';
  throw new ClosedGate({ state: 'forked', why: error.message, wayOut, acceptable: false });
};
