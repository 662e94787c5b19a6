import type { RootPlace } from '#vault/keeper';
import { Custodian, GateRefusal } from '#vault/keeper';

/** A place for one mirror; each `open` is as if the vault had been started again. */
export interface MirrorPlace {
  open(): Custodian;
  dispose(): Promise<void>;
}

type State = Parameters<Custodian['writeState']>[0];
type Confirm = () => Promise<void>;

/** A mirror on a volume that can be taken away, or that fails. */
export class RemovableMirror extends Custodian {
  /** What every call meets instead of the mirror. */
  trouble: 'none' | 'gone' | 'failing' | 'going' = 'none';

  constructor(private readonly inner: Custodian) {
    super();
  }
  get name(): string {
    return this.inner.name;
  }
  get place(): string {
    return this.inner.place;
  }
  id = (): Promise<string> => this.#reach(() => this.inner.id());
  enrol = (confirm?: Confirm): Promise<string> => this.#reach(() => this.inner.enrol(confirm));
  readState = (): Promise<State | undefined> => this.#reach(() => this.inner.readState());
  takeOver = (): Promise<void> => this.#reach(() => this.inner.takeOver());
  writeState = (state: State, confirm?: Confirm): Promise<void> =>
    this.#reach(() => this.inner.writeState(state, confirm));
  createRoot = (epoch: number, confirm?: Confirm): Promise<void> =>
    this.#reach(() => this.inner.createRoot(epoch, confirm));
  destroyRoot = (epoch: number, confirm?: Confirm): Promise<void> =>
    this.#reach(() => this.inner.destroyRoot(epoch, confirm));
  epochs = (): Promise<readonly number[]> =>
    this.#reach(async () => {
      if (this.trouble !== 'going') return this.inner.epochs();
      // A volume that is just unmounted: its directory is empty.
      this.trouble = 'gone';
      return [];
    });
  device = (): Promise<number | undefined> => this.#reach(() => this.inner.device());
  wrapEpochKey = (place: RootPlace, epochKey: Uint8Array): Promise<Uint8Array> =>
    this.#reach(() => this.inner.wrapEpochKey(place, epochKey));
  unwrapEpochKey = (place: RootPlace, wrapped: Uint8Array): Promise<Uint8Array | undefined> =>
    this.#reach(() => this.inner.unwrapEpochKey(place, wrapped));

  async #reach<T>(call: () => Promise<T>): Promise<T> {
    if (this.trouble === 'gone') throw new GateRefusal('custodian-missing', 'gone');
    if (this.trouble === 'failing') throw new Error('EIO');
    return call();
  }
}
