import { isMakulerError } from '#kernel';
import type { GateState } from './gate.js';
import type { Tell } from './notice.js';
import { Faults } from './notice.js';

export const STANDBY = 'another vault is active; this one takes over when that one is gone';
export const LOG_AWAY = 'the event log can’t be asked; it is waited for';
export const isLogAway = (error: unknown): boolean => isMakulerError(error, 'store-unavailable');

/**
 * The gate as it stands. Every change of it is told, with the reason; what is found again and again, several times a second while
 * something is away, is told once.
 */
export class ToldGate {
  #now: GateState = { state: 'opening' };
  #told = '';
  #holdsLease = false;
  readonly #faults = new Faults();

  constructor(private readonly tell: Tell) {}

  get now(): GateState {
    return this.#now;
  }

  stands(gate: GateState): void {
    this.#now = gate;
    if (gate.state === 'standby') this.#holdsLease = false;
    const words = JSON.stringify(gate);
    // After a fault it is said again, or nobody would know that the fault is over.
    if (!this.#faults.over() && words === this.#told) return;
    this.#told = words;
    const { state, ...facts } = gate;
    if (!('why' in gate)) return this.tell({ event: 'gate.opened', gate: state, ...facts });
    const event = state === 'standby' ? 'gate.standby' : 'gate.closed';
    this.tell({ event, gate: state, why: gate.why, ...('wayOut' in gate ? { wayOut: gate.wayOut } : {}) });
  }

  /** It was tried to open it, or to see whether this vault is needed, and this came in between. */
  waits(error: unknown): void {
    if (isLogAway(error) && this.#now.state !== 'opening') this.#now = { state: 'closed', why: LOG_AWAY };
    const fault = this.#faults.met(error);
    if (fault) this.tell({ event: 'gate.waiting', gate: this.#now.state, ...fault });
  }

  leaseTaken(inherited: boolean): void {
    if (!this.#holdsLease) this.tell({ event: 'lease.taken', inherited });
    this.#holdsLease = true;
  }

  leaseLost(why: string): void {
    if (this.#holdsLease) this.tell({ event: 'lease.lost', why });
    this.#holdsLease = false;
  }
}
