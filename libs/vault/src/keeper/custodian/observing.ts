import { MakulerError } from '#kernel';
import type { RootPlace } from './custodian.js';
import { Custodian } from './custodian.js';
import type { CustodianState } from './custodian-state.js';

/**
 * The custodian as a drill sees it: its roots and its journal as they are when they are first read, and nothing that the
 * drill does to them gets there. The installation's own vault may be at work on the same mirrors meanwhile.
 */
export const observing = (mirror: Custodian): Custodian => new Observed(mirror);

class Observed extends Custodian {
  #state: Promise<CustodianState | undefined> | undefined;
  readonly #gone = new Set<number>();

  constructor(private readonly mirror: Custodian) {
    super();
  }

  get name(): string {
    return this.mirror.name;
  }
  get place(): string {
    return this.mirror.place;
  }
  id(): Promise<string> {
    return this.mirror.id();
  }
  enrol(): Promise<string> {
    // A place that was never used is no custodian of this installation, and a drill makes none.
    return this.id();
  }
  async takeOver(): Promise<void> {
    // The installation's own vault goes on writing: what lies beside its files is what it is just about to rename.
  }
  readState(): Promise<CustodianState | undefined> {
    return (this.#state ??= this.mirror.readState());
  }
  async writeState(state: CustodianState): Promise<void> {
    this.#state = Promise.resolve(state);
  }
  async createRoot(epoch: number): Promise<void> {
    if (!(await this.epochs()).includes(epoch))
      throw new MakulerError('vault-unavailable', { detail: 'A drill makes no root.' });
  }
  async destroyRoot(epoch: number): Promise<void> {
    this.#gone.add(epoch);
  }
  async epochs(): Promise<readonly number[]> {
    return (await this.mirror.epochs()).filter((epoch) => !this.#gone.has(epoch));
  }
  wrapEpochKey(place: RootPlace, epochKey: Uint8Array): Promise<Uint8Array> {
    return this.mirror.wrapEpochKey(place, epochKey);
  }
  unwrapEpochKey(place: RootPlace, wrapped: Uint8Array): Promise<Uint8Array | undefined> {
    return this.mirror.unwrapEpochKey(place, wrapped);
  }
  device(): Promise<number | undefined> {
    return this.mirror.device();
  }
}
