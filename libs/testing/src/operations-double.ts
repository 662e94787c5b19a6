import type { Clock } from '#kernel';
import { MakulerError, newId } from '#kernel';
import type {
  Clearing,
  DestructionReport,
  EpochsReport,
  MirrorReport,
  RetiringEpoch,
  SealReport,
} from '#vault/operations';
import { VaultOperations } from '#vault/operations';
import type { ShredderDouble } from './shredder-double.js';

export interface OperationsDoubleOptions {
  /** From the seal to the destruction of the roots (default 30 days). */
  readonly windowMs?: number;
  /** From one planned seal to the next (default a day). */
  readonly sealEveryMs?: number;
}

interface Retiring {
  readonly epoch: number;
  readonly sealedAt: Date;
  readonly destroyAt: Date;
  readonly confirmed: Set<string>;
}

const DAY_MS = 86_400_000;

/**
 * The epochs of a ShredderDouble's orders, with the promises of the real vault: an order is cleared once every mirror has
 * confirmed that the root of its epoch, and of every one before it, is gone; never earlier, and never by age.
 */
export class OperationsDouble extends VaultOperations {
  /** Put the name of a mirror in here and it confirms nothing until it is taken out. */
  readonly away = new Set<string>();
  #mirrors: readonly string[] = ['a', 'b'];
  readonly #retired = new Set<string>();
  readonly #windowMs: number;
  readonly #sealEveryMs: number;
  readonly #epochOf = new Map<string, number>();
  readonly #destroyedAt = new Map<number, Date>();
  #retiring: Retiring[] = [];
  #lost: readonly number[] = [];
  #current = 1;
  #openedAt: Date;

  constructor(
    private readonly shredder: ShredderDouble,
    private readonly clock: Clock,
    { windowMs = 30 * DAY_MS, sealEveryMs = DAY_MS }: OperationsDoubleOptions = {},
  ) {
    super();
    this.#windowMs = windowMs;
    this.#sealEveryMs = sealEveryMs;
    this.#openedAt = clock.now();
  }

  async sealEpoch({ force = false }: { readonly force?: boolean } = {}): Promise<SealReport> {
    const fresh = this.#unsealed();
    const dirty = fresh.filter(({ destroyed }) => destroyed.length > 0).length;
    if (dirty === 0 && !force)
      return { epoch: this.#current, sealed: false, rotated: 0, rewrapped: 0, destroyAt: undefined };
    for (const { orderId } of fresh) this.#epochOf.set(orderId, this.#current);
    const sealedAt = this.clock.now();
    const destroyAt = new Date(sealedAt.getTime() + this.#windowMs);
    this.#retiring.push({ epoch: this.#current, sealedAt, destroyAt, confirmed: new Set() });
    this.#current++;
    this.#openedAt = sealedAt;
    return { epoch: this.#current, sealed: true, rotated: dirty, rewrapped: 0, destroyAt: destroyAt.toISOString() };
  }

  async destroyRoots(): Promise<DestructionReport> {
    const due = this.#retiring.filter(({ destroyAt }) => destroyAt <= this.clock.now());
    for (const { confirmed } of due)
      for (const mirror of this.#mirrors) if (!this.away.has(mirror)) confirmed.add(mirror);
    const destroyed = due.filter((retiring) => this.#outstanding(retiring).length === 0).map(({ epoch }) => epoch);
    for (const epoch of destroyed) this.#destroyedAt.set(epoch, this.clock.now());
    this.#retiring = this.#retiring.filter(({ epoch }) => !destroyed.includes(epoch));
    const outstanding = due.filter(({ epoch }) => !destroyed.includes(epoch));
    return {
      destroyed,
      outstanding: outstanding.map((retiring) => ({ epoch: retiring.epoch, mirrors: this.#outstanding(retiring) })),
    };
  }

  async epochs(): Promise<EpochsReport> {
    return {
      current: this.#current,
      openedAt: this.#openedAt.toISOString(),
      sealDueAt: new Date(this.#openedAt.getTime() + this.#sealEveryMs).toISOString(),
      nextSealAt: this.#nextSealAt().toISOString(),
      sealing: false,
      sealNeeded: this.#unsealed().some(({ destroyed }) => destroyed.length > 0),
      retiring: this.#retiring.map((retiring): RetiringEpoch => ({
        epoch: retiring.epoch,
        sealedAt: retiring.sealedAt.toISOString(),
        destroyAt: retiring.destroyAt.toISOString(),
        outstanding: this.#outstanding(retiring),
      })),
      lost: this.#lost,
    };
  }

  /** Every mirror is gone, and two persons have accepted it: life goes on at a new custodian. */
  loseCustodian(): void {
    this.#lost = [...this.#lost, ...this.#retiring.map(({ epoch }) => epoch), this.#current];
    this.#retiring = [];
    this.#current++;
    this.#openedAt = this.clock.now();
  }

  async clearing(orderId: string, knownEpoch = 0): Promise<Clearing | undefined> {
    const receipt = this.shredder.receipts.get(orderId);
    if (!receipt && knownEpoch === 0) return undefined;
    const own = !receipt || receipt.destroyed.length === 0 ? 0 : (this.#epochOf.get(orderId) ?? this.#current);
    const epoch = Math.max(own, knownEpoch);
    const open = this.#retiring.filter((retiring) => retiring.epoch <= epoch);
    const planned = open.map(({ destroyAt }) => destroyAt.getTime());
    const gone = [...this.#destroyedAt].flatMap(([one, at]) => (one <= epoch ? [at.getTime()] : []));
    const lost = this.#lost.some((one) => one <= epoch);
    if (lost) planned.push(this.#openedAt.getTime());
    const cleared = epoch < this.#current && open.length === 0 && !lost;
    const clearedAt = new Date(Math.max(...gone, receipt ? Date.parse(receipt.liveErasedAt) : 0));
    if (epoch === this.#current) planned.push(this.#nextSealAt().getTime() + this.#windowMs);
    return {
      epoch,
      plannedFor: (cleared ? clearedAt : new Date(Math.max(...planned))).toISOString(),
      clearedAt: cleared ? clearedAt.toISOString() : undefined,
      mirrors: this.#mirrors.length,
    };
  }

  /** A mirror's id is its name. */
  async mirrors(): Promise<readonly MirrorReport[]> {
    return this.#mirrors.map((id): MirrorReport => {
      const named = { id, name: `/custodian/${id}`, roots: [this.#current] };
      return this.away.has(id)
        ? { ...named, standing: 'away', reason: 'missing', message: 'It is not there.' }
        : { ...named, standing: 'present', reason: undefined, message: undefined };
    });
  }
  async addMirror(place: string): Promise<string> {
    if (!place.startsWith('/')) throw new MakulerError('mirror-unfit');
    const id = newId();
    this.#mirrors = [...this.#mirrors, id];
    return id;
  }
  async retireMirror(id: string): Promise<void> {
    if (this.#retired.has(id)) return;
    if (!this.#mirrors.includes(id)) throw new MakulerError('mirror-unknown');
    const others = this.#mirrors.filter((mirror) => mirror !== id);
    if (others.every((mirror) => this.away.has(mirror))) throw new MakulerError('mirror-last');
    this.#mirrors = others;
    this.#retired.add(id);
  }
  async repairMirror(id: string): Promise<void> {
    if (!this.#mirrors.includes(id)) throw new MakulerError('mirror-unknown');
    this.away.delete(id);
  }

  #unsealed() {
    return [...this.shredder.receipts.values()].filter(({ orderId }) => !this.#epochOf.has(orderId));
  }
  #nextSealAt(): Date {
    const planned = this.#openedAt.getTime() + this.#sealEveryMs;
    const now = this.clock.now().getTime();
    return new Date(planned > now ? planned : now + this.#sealEveryMs);
  }
  #outstanding({ confirmed }: Retiring): string[] {
    return this.#mirrors.filter((mirror) => !confirmed.has(mirror));
  }
}
