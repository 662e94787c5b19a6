import { MakulerError } from '#kernel';
import type { Confirm } from '../active.js';
import { GateRefusal } from '../gate.js';
import type { Custodian } from './custodian.js';
import { hashOf, successorOf } from './custodian-format.js';
import type { CustodianState, StateChange } from './custodian-state.js';
import { firstState } from './custodian-state.js';
import { assertFit } from './fitness.js';
import type { AwayMirror, AwayReason, Look } from './looking.js';
import { awayBecause, judge, newestOf, reasonOf, takeAndLook } from './looking.js';
import type { KnownPlace, RootDestruction, Seat } from './seat.js';
import { awayOf, isThere, newSeat, sayHow, unfit } from './seat.js';
import { unite, withConfirmations } from './uniting.js';

/**
 * All mirrors as one: the same state everywhere, each with a root of its own. Works while one of them is there: one that is
 * away or fails is skipped and named by `away`, and is brought up to date before it counts again. A change counts when every
 * mirror that is there has it on disk.
 */
export class CustodianMirrors {
  /** Those of the configuration first. */
  readonly #seats: Seat[];
  readonly #configured: number;
  #state: CustodianState | undefined;
  /** Hashes of the states that a mirror which is away may hold: they stay among the ancestors. */
  readonly #pinned = new Set<string>();
  /** Destructions that a mirror made up for when it came back, by epoch: the next change notes them. */
  readonly #owed = new Map<number, Set<string>>();
  #queue: Promise<unknown> = Promise.resolve();
  /** The right by which everything is written; each mirror asks for it in the middle of each write. Set before `load`. */
  confirm: Confirm = () => Promise.resolve();

  /** `open` makes a custodian of a place that the database names; without it only `mirrors` are known. */
  constructor(
    mirrors: readonly Custodian[],
    readonly open?: (place: string) => Custodian,
  ) {
    if (mirrors.length === 0) throw new Error('a custodian has at least one mirror');
    this.#seats = mirrors.map(newSeat);
    this.#configured = mirrors.length;
  }

  /** The state that the mirrors agree on, or `undefined` before the installation was founded. */
  get state(): CustodianState | undefined {
    return this.#state;
  }
  /** Every mirror of which a place is known, there or not. */
  get mirrors(): readonly Custodian[] {
    return this.#seats.map(({ custodian }) => custodian);
  }
  /** The mirrors that are there and up to date: these wrap epoch keys. */
  present(): readonly Custodian[] {
    return this.#standing('present');
  }
  /** Mirrors that came back and have everything but, perhaps, the current epoch key's wrap: see `joined`. */
  joining(): readonly Custodian[] {
    return this.#standing('joining');
  }
  /** The mirrors that do not count now, and why; an enrolled one of which no place is known is among them. */
  away(): readonly AwayMirror[] {
    return awayOf(this.#seats, this.#state);
  }
  /** Where a mirror is, for people. */
  nameOf(id: string): string {
    return this.#seats.find((seat) => seat.id === id)?.custodian.name ?? id;
  }

  /** Adds places that are not known yet. Before `load`. */
  know(places: readonly KnownPlace[]): void {
    for (const { id, place } of places) {
      const seat = this.#seats.find(({ custodian }) => custodian.place === place);
      if (seat) seat.id ??= id;
      else if (this.open && !this.#seats.some((other) => other.id === id))
        this.#seats.push({ ...newSeat(this.open(place)), id });
    }
  }

  /**
   * Reads all mirrors, takes the newest state and brings those up to date that are there: they are `joining`. Throws a
   * GateRefusal: `fork`, `foreign`, `custodian-exposed`, `custodian-lost` when what is left of the mirrors can't be read, and
   * `custodian-missing` when those that were there before are away.
   */
  load(): Promise<CustodianState | undefined> {
    return this.#inTurn(async () => {
      const looks = await this.#lookAt(this.#seats);
      const newest = newestOf([...looks.values()]);
      const known = this.#state !== undefined;
      // Said before anything is refused, so that a fork can be seen and repaired.
      this.#state = newest ?? this.#state;
      this.#owed.clear();
      for (const [seat, look] of looks) sayHow(seat, look, newest);
      assertFit(
        [...looks].map(([{ custodian }, look]) => ({ name: custodian.name, look })),
        newest,
        known,
      );
      this.#state = newest;
      if (!newest) return undefined;
      this.#pin([hashOf(newest), ...newest.ancestors]);
      // One after the other, so that of two copies the first that is named stays.
      for (const seat of this.#seats.filter(isThere))
        seat.standing = awayBecause(seat.custodian.name, seat.id, 'behind');
      for (const [seat, look] of looks) await this.#bringUp(seat, look);
      // A founding that was cut off goes on with all mirrors, and nothing is wrapped yet.
      if (newest.phase === 'founding') for (const seat of this.#seats) if (isThere(seat)) seat.standing = 'present';
      this.#assertSomebody();
      return newest;
    });
  }

  /**
   * The first state, and roots of its epoch at every mirror of the configuration: all are needed. `after`: where a custodian
   * before it was last seen, of which all mirrors are lost; neither its numbers nor its epochs come again.
   */
  found(installation: string, after = { number: 0, epoch: 0 }): Promise<CustodianState> {
    const epoch = after.epoch + 1;
    return this.#inTurn(async () => {
      // A place that only the database names belongs to the custodian that is lost.
      this.#seats.splice(this.#configured);
      for (const seat of this.#seats) seat.id = await seat.custodian.enrol(this.confirm);
      await Promise.all(this.mirrors.map((mirror) => mirror.createRoot(epoch, this.confirm)));
      for (const seat of this.#seats) seat.standing = 'present';
      // Whatever this process has seen before is not what these mirrors hold.
      this.#state = undefined;
      return this.#writeAll(
        firstState(
          installation,
          this.#seats.map(({ id }) => id!),
          after,
        ),
      );
    });
  }

  /**
   * Changes the state at every mirror that is there, and resolves when they have it on disk. A mirror that fails is away from
   * then on. When all fail, the change is neither taken back nor relied upon: throws `vault-unavailable`, and the next call,
   * or the next start, carries it on first.
   */
  change(step: (state: CustodianState) => StateChange | undefined): Promise<CustodianState> {
    return this.#inTurn(() => this.#rejoin().then(() => this.#change(step)));
  }

  /** Like `change`, to a number beyond `seen`: for mirrors that are all older copies. No state in between comes again. */
  changeBeyond(seen: number, step: (state: CustodianState) => StateChange): Promise<CustodianState> {
    return this.#inTurn(async () => {
      await this.#rejoin();
      const next = successorOf(this.#settled(), step(this.#settled()), this.#pinned);
      return this.#writeAll({ ...next, number: Math.max(next.number, seen + 1) });
    });
  }

  /** Brings back whoever can be; resolves when every mirror that is there has the present state and no root that should be gone. */
  refresh(): Promise<void> {
    return this.#inTurn(async () => {
      await this.#rejoin(this.#seats);
      await this.#change(() => undefined);
    });
  }

  /** The current epoch key is wrapped under this mirror's root (or can't be: then it is away for that reason). */
  joined(custodian: Custodian, problem?: AwayReason): void {
    const seat = this.#seats.find((other) => other.custodian === custodian);
    if (!seat || typeof seat.standing !== 'string') return;
    if (problem === undefined) seat.standing = 'present';
    else this.#leave(seat, problem);
    seat.awaitsRepair = problem === 'wrong-root' || problem === 'damaged';
  }

  /** Makes the root of a new epoch at every mirror that is there, and puts it into the state. Idempotent. */
  createRoot(epoch: number): Promise<CustodianState> {
    return this.#inTurn(async () => {
      await this.#rejoin();
      await this.#everywhere((custodian) => custodian.createRoot(epoch, this.confirm));
      return this.#change(({ epochs }) => (epochs.includes(epoch) ? undefined : { epochs: [...epochs, epoch] }));
    });
  }

  /**
   * Destroys the root of a sealed epoch at every mirror that is there and notes their confirmations in the state; the caller
   * decides what follows when none is outstanding. Throws for an epoch that is not sealed.
   */
  destroyRoot(epoch: number): Promise<RootDestruction> {
    return this.#inTurn(async () => {
      await this.#rejoin();
      const { epochs, retiring } = this.#state!;
      if (!epochs.includes(epoch)) return { confirmed: this.#state!.mirrors, outstanding: [] };
      if (!retiring.some((one) => one.epoch === epoch)) throw new Error(`epoch ${epoch} is not sealed`);
      const destroyed = new Set<string>();
      await this.#everywhere(async (custodian) => {
        await custodian.destroyRoot(epoch, this.confirm);
        destroyed.add(await custodian.id());
      });
      this.#owed.set(epoch, destroyed);
      await this.#change(() => undefined);
      const { confirmed } = this.#state!.retiring.find((one) => one.epoch === epoch)!;
      return { confirmed, outstanding: this.#state!.mirrors.filter((id) => !confirmed.includes(id)) };
    });
  }

  /**
   * Takes a mirror in, with a root of the current epoch. It gets the state before it is named in it, so that a crash leaves a
   * strict predecessor. Idempotent. Throws `mirror-unfit` for a place that holds something else.
   */
  enrol(custodian: Custodian): Promise<string> {
    return this.#inTurn(async () => {
      await this.#rejoin();
      const state = this.#settled();
      const look = await takeAndLook(custodian);
      const how = judge(look, state);
      if (how === 'current' || how === 'behind') return look.id!;
      const unused = how === 'missing' || (how === 'not-enrolled' && look.state?.installation !== undefined);
      if (!unused && !(how === 'not-enrolled' && !look.state)) throw unfit(custodian, look, how);
      const id = await custodian.enrol(this.confirm);
      await custodian.createRoot(state.epochs.at(-1)!, this.confirm);
      await custodian.writeState(state, this.confirm);
      let seat = this.#seats.find((other) => other.custodian.place === custodian.place);
      if (!seat) this.#seats.push((seat = newSeat(custodian)));
      seat.id = id;
      seat.standing = 'joining';
      await this.#change(({ mirrors }) => ({ mirrors: [...mirrors, id] }));
      return id;
    });
  }

  /**
   * Takes a mirror out: its confirmations are no longer waited for. Its roots are destroyed if it is there, now or when it
   * comes back. Idempotent. Throws `mirror-last` unless another one is present, `mirror-unknown`.
   */
  retire(id: string, at: string): Promise<void> {
    return this.#inTurn(async () => {
      await this.#rejoin();
      const { mirrors, retiredMirrors } = this.#settled();
      if (retiredMirrors.some((retired) => retired.id === id)) return;
      if (!mirrors.includes(id)) throw new MakulerError('mirror-unknown');
      if (!this.#seats.some((seat) => seat.standing === 'present' && seat.id !== id))
        throw new MakulerError('mirror-last');
      const seat = this.#seats.find((other) => other.id === id);
      if (seat) this.#leave(seat, 'retired');
      await this.#change(() => ({
        mirrors: mirrors.filter((other) => other !== id),
        retiredMirrors: [...retiredMirrors, { id, at }],
      }));
      if (seat) await this.#bringUp(seat, await takeAndLook(seat.custodian));
    });
  }

  /**
   * Brings back a mirror that does not come back by itself. What only a fork's journal holds is taken over first, so nothing
   * that was ever shredded is forgotten: answers whether it was so, and then its caller reconciles. A root that opens nothing
   * is destroyed, and made anew by whoever wraps. Throws `mirror-unfit` for one that is not there, `mirror-unknown`.
   */
  repair(id: string): Promise<boolean> {
    return this.#inTurn(async () => {
      await this.#rejoin();
      const state = this.#settled();
      const seat = this.#seats.find((other) => other.id === id);
      if (!seat || !state.mirrors.includes(id)) throw new MakulerError('mirror-unknown');
      const look = await takeAndLook(seat.custodian);
      const how = judge(look, state);
      const united = how === 'fork' || how === 'too-old';
      if (united) await this.#unite(look.state!);
      else if (how !== 'current' && how !== 'behind' && how !== 'damaged') throw unfit(seat.custodian, look, how);
      if (seat.awaitsRepair) await seat.custodian.destroyRoot(state.epochs.at(-1)!, this.confirm);
      seat.awaitsRepair = false;
      await this.#bringUp(seat, { id, state: undefined, problem: undefined });
      return united;
    });
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const next = this.#queue.then(work);
    this.#queue = next.catch(() => undefined);
    return next;
  }

  #standing(standing: 'present' | 'joining'): readonly Custodian[] {
    return this.#seats.flatMap((seat) => (seat.standing === standing ? [seat.custodian] : []));
  }

  /** Only while the right is ours: a process that was stopped and wakes up must not take the files beside from its successor. */
  async #lookAt(seats: readonly Seat[]): Promise<ReadonlyMap<Seat, Look>> {
    if (seats.length > 0) await this.confirm();
    return new Map(await Promise.all(seats.map(async (seat) => [seat, await takeAndLook(seat.custodian)] as const)));
  }

  /** Looks again at the mirrors that are away (or at others too) and brings back whoever can be. */
  async #rejoin(seats = this.#seats.filter((seat) => !isThere(seat))): Promise<void> {
    if (!this.#state) throw new Error('the custodian was not loaded');
    for (const [seat, look] of await this.#lookAt(seats.filter(({ awaitsRepair }) => !awaitsRepair)))
      await this.#bringUp(seat, look);
  }

  /** A strict predecessor gets the state, and loses every root that is to be gone, before it counts. */
  async #bringUp(seat: Seat, look: Look): Promise<void> {
    const state = this.#state!;
    if (look.id !== undefined && this.#seats.some((other) => other !== seat && isThere(other) && other.id === look.id))
      return this.#leave(seat, 'copied');
    seat.id = look.id ?? seat.id;
    const how = judge(look, state);
    try {
      if (how === 'retired')
        for (const epoch of await seat.custodian.epochs()) await seat.custodian.destroyRoot(epoch, this.confirm);
      if (how !== 'current' && how !== 'behind') return this.#leave(seat, how, look.problem?.cause);
      await this.#destroyWhatShouldBeGone(seat, state);
      if (how === 'behind') await seat.custodian.writeState(state, this.confirm);
      if (typeof seat.standing !== 'string') seat.standing = 'joining';
    } catch (error) {
      this.#leave(seat, reasonOf(error), error);
    }
  }

  async #destroyWhatShouldBeGone({ custodian, id }: Seat, { epochs, retiring }: CustodianState): Promise<void> {
    const begun = new Map(retiring.flatMap((one) => (one.confirmed.length > 0 ? [[one.epoch, one.confirmed]] : [])));
    for (const epoch of await custodian.epochs())
      // Never one that is later than the state knows: its root would be all that is left if this state is an old copy.
      if (begun.has(epoch) || (!epochs.includes(epoch) && epoch < epochs.at(-1)!))
        await custodian.destroyRoot(epoch, this.confirm);
    // A place that went meanwhile has no roots to list either: only of one that still says who it is they are gone.
    if ((await custodian.id()) !== id) throw new Error('the mirror was replaced');
    for (const [epoch, confirmed] of begun)
      if (!confirmed.includes(id!)) this.#owed.set(epoch, new Set([...(this.#owed.get(epoch) ?? []), id!]));
  }

  async #everywhere(work: (custodian: Custodian) => Promise<void>): Promise<void> {
    for (const seat of this.#seats.filter(isThere))
      await work(seat.custodian).catch((error: unknown) => this.#leave(seat, reasonOf(error), error));
    this.#assertSomebody();
  }

  /** The state, with what mirrors have made up for noted in it. Throws while an earlier change has reached nobody. */
  #settled(): CustodianState {
    this.#assertSomebody();
    return this.#state!;
  }

  async #change(step: (state: CustodianState) => StateChange | undefined): Promise<CustodianState> {
    const before = this.#settled();
    const noted = withConfirmations(before, this.#owed);
    const change = step({ ...before, ...noted });
    if (!change && !noted) return before;
    this.#owed.clear();
    return this.#writeAll(successorOf(before, { ...noted, ...change }, this.#pinned));
  }

  /** The states of both branches become ancestors, so that a crash leaves strict predecessors. */
  async #unite(fork: CustodianState): Promise<void> {
    this.#pin([hashOf(fork)]);
    const united = successorOf(this.#settled(), unite(this.#settled(), fork), this.#pinned);
    const number = Math.max(united.number, fork.number + 1);
    const ancestors = [united.ancestors[0]!, hashOf(fork), ...united.ancestors.slice(1)];
    await this.#writeAll({ ...united, number, ancestors });
  }

  async #writeAll(state: CustodianState): Promise<CustodianState> {
    const before = this.#state && hashOf(this.#state);
    // Set before the first byte is written: from then on this state may exist somewhere, and no other may follow the old one.
    this.#state = state;
    const write = async (seat: Seat) => {
      // Put back under a running vault, it must be looked at anew: it may have brought back roots that are to be gone.
      const held = before === undefined ? undefined : await seat.custodian.readState();
      if (before !== undefined && (!held || hashOf(held) !== before))
        throw new GateRefusal('custodian-missing', `The custodian's mirror at ${seat.custodian.name} was replaced.`);
      await seat.custodian.writeState(state, this.confirm);
    };
    await Promise.all(
      this.#seats.filter(isThere).map((seat) =>
        write(seat).catch((error: unknown) => {
          this.#leave(seat, reasonOf(error), error);
          this.#pin([hashOf(state), ...(before === undefined ? [] : [before])]);
        }),
      ),
    );
    this.#assertSomebody();
    const there = new Set(this.#seats.flatMap((seat) => (isThere(seat) ? [seat.id] : [])));
    if (state.mirrors.every((id) => there.has(id))) this.#pinned.clear();
    return state;
  }

  #leave(seat: Seat, reason: AwayReason, cause?: unknown): void {
    const detail = reason === 'failed' && cause instanceof Error ? cause.message : undefined;
    seat.standing = awayBecause(seat.custodian.name, seat.id, reason, detail);
    if (this.#state) this.#pin([hashOf(this.#state)]);
  }

  #pin(hashes: readonly string[]): void {
    for (const hash of hashes) this.#pinned.add(hash);
  }

  #assertSomebody(): void {
    if (this.#seats.some(isThere)) return;
    throw new MakulerError('vault-unavailable', {
      detail: `None of the custodian's mirrors can be used: ${this.away()
        .map(({ message }) => message)
        .join(' ')}`,
      retryAfterSeconds: 2,
    });
  }
}
