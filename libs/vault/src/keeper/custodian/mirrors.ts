import { MakulerError } from '#kernel';
import { GateRefusal } from '../gate.js';
import type { Custodian } from './custodian.js';
import type { CustodianState } from './custodian-state.js';
import { hashOf, successorOf } from './custodian-state.js';

type Change = Parameters<typeof successorOf>[1];

/**
 * All mirrors as one: the same state everywhere, each with a root of its own. A change counts when every mirror has it on
 * disk; one that a crash (or a failing mirror) left behind is carried forward before anything else happens.
 */
export class CustodianMirrors {
  #state: CustodianState | undefined;
  #unsettled = false;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(readonly mirrors: readonly Custodian[]) {
    if (mirrors.length === 0) throw new Error('a custodian has at least one mirror');
  }

  /** The state that all mirrors agree on, or `undefined` before the installation was founded. */
  get state(): CustodianState | undefined {
    return this.#state;
  }

  /**
   * Reads all mirrors and rolls strict predecessors forward. Throws a GateRefusal when a mirror is missing or damaged, when
   * mirrors are of different installations, or when one is no predecessor of the other (a fork).
   */
  async load(): Promise<CustodianState | undefined> {
    const states = await Promise.all(this.mirrors.map((mirror) => mirror.readState()));
    const newest = states.reduce((a, b) => (b && (!a || b.number > a.number) ? b : a), undefined);
    this.#state = newest;
    if (!newest) return undefined;
    const behind: Custodian[] = [];
    for (const [index, state] of states.entries()) {
      const mirror = this.mirrors[index]!;
      // While founding, a crash may have left a mirror without a state; afterwards an empty place is a lost mirror.
      if (!state && newest.phase === 'founded')
        throw new GateRefusal(
          'custodian-missing',
          `The custodian's mirror at ${mirror.name} is empty: bring its directory back.`,
        );
      if (state && state.installation !== newest.installation)
        throw new GateRefusal('foreign', `The custodian's mirror at ${mirror.name} belongs to another installation.`);
      if (state && hashOf(state) === hashOf(newest)) continue;
      if (state && !newest.ancestors.includes(hashOf(state)))
        throw new GateRefusal(
          'fork',
          `The custodian's mirror at ${mirror.name} is no predecessor of the others: two vaults have written, or a mirror was restored.`,
        );
      behind.push(mirror);
    }
    await this.#assertEnrolled(newest);
    // Only after all of them were found fit: a refused start changes nothing.
    for (const mirror of behind) await mirror.writeState(newest);
    this.#unsettled = false;
    return newest;
  }

  /** The first state: mirrors, their roots of epoch 1, nothing in the journal. */
  async found(installation: string): Promise<CustodianState> {
    const mirrors = await Promise.all(this.mirrors.map((mirror) => mirror.id()));
    await Promise.all(this.mirrors.map((mirror) => mirror.createRoot(1)));
    const state: CustodianState = {
      installation,
      phase: 'founding',
      number: 1,
      ancestors: [],
      mirrors,
      epochs: [1],
      pending: [],
      shredded: [],
      closed: [],
    };
    await this.#writeAll(state);
    return state;
  }

  /**
   * Changes the state at every mirror and resolves when all have it on disk. When one fails, the change is neither taken
   * back nor relied upon: throws `vault-unavailable`, and the next call, or the next start, carries it to the others first.
   */
  change(step: (state: CustodianState) => Change | undefined): Promise<CustodianState> {
    const next = this.#queue.then(async () => {
      if (!this.#state) throw new Error('the custodian was not loaded');
      if (this.#unsettled) await this.#writeAll(this.#state);
      const change = step(this.#state);
      if (change) await this.#writeAll(successorOf(this.#state, change));
      return this.#state;
    });
    this.#queue = next.catch(() => undefined);
    return next;
  }

  async #writeAll(state: CustodianState): Promise<void> {
    // Set before the first byte is written: from then on this state may exist somewhere, and no other may follow the old one.
    this.#state = state;
    this.#unsettled = true;
    const results = await Promise.allSettled(this.mirrors.map((mirror) => mirror.writeState(state)));
    const failed = results.flatMap((result, index) =>
      result.status === 'rejected' ? [{ index, cause: result.reason as unknown }] : [],
    );
    if (failed.length > 0)
      throw new MakulerError('vault-unavailable', {
        detail: `The custodian's mirror at ${failed.map(({ index }) => this.mirrors[index]!.name).join(' and ')} can't be written.`,
        cause: failed[0]!.cause,
      });
    this.#unsettled = false;
  }

  async #assertEnrolled(state: CustodianState): Promise<void> {
    const ids = await Promise.all(this.mirrors.map((mirror) => mirror.id()));
    const absent = state.mirrors.filter((id) => !ids.includes(id)).length;
    const strange = this.mirrors.filter((_, index) => !state.mirrors.includes(ids[index]!));
    if (absent > 0 || strange.length > 0)
      throw new GateRefusal(
        'custodian-missing',
        `The custodian has ${state.mirrors.length} mirrors; ${absent} of them are not among those configured` +
          (strange.length > 0 ? `, and ${strange.map(({ name }) => name).join(' and ')} is not one of them.` : '.'),
      );
  }
}
