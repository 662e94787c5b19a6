import type { DestructionReport } from '../../operations-contract.js';
import type { CustodianState, StateChange } from '../custodian/custodian-state.js';
import { noteCustodian } from '../custodian-number.js';
import { noteDestroyed } from './epoch-table.js';
import { assertNothingBefore } from './sealing.js';
import type { EpochSurroundings } from './surroundings.js';

/** Destroys the roots of sealed epochs whose date has come, and then lets go of what the journal kept because of them. */
export class RootDestruction {
  constructor(
    private readonly surroundings: EpochSurroundings,
    /** Moves what still lies in an old epoch. */
    private readonly seal: () => Promise<unknown>,
  ) {}

  /** Not to be called while a seal is under way. */
  async destroyDue(): Promise<DestructionReport> {
    const { custodian, clock } = this.surroundings;
    await custodian.refresh();
    const now = clock.now().getTime();
    return this.#destroy(({ destroyAt }) => Date.parse(destroyAt) <= now);
  }

  /** Goes on with what was begun: from the first mirror that has destroyed its root there is no way back, whatever the clock says. */
  destroyBegun(): Promise<DestructionReport> {
    return this.#destroy(() => false);
  }

  async #destroy(isDue: (epoch: CustodianState['retiring'][number]) => boolean): Promise<DestructionReport> {
    const { custodian } = this.surroundings;
    const due = custodian.state!.retiring.filter((epoch) => epoch.confirmed.length > 0 || isDue(epoch));
    const latest = due.at(-1)?.epoch;
    if (latest === undefined) return { destroyed: [], outstanding: [] };
    await this.#assertUnused(latest);
    const destroyed: number[] = [];
    const outstanding: { epoch: number; mirrors: readonly string[] }[] = [];
    for (const { epoch } of due) {
      const mirrors = (await custodian.destroyRoot(epoch)).outstanding;
      if (mirrors.length > 0) outstanding.push({ epoch, mirrors: mirrors.map((id) => custodian.nameOf(id)) });
      else {
        await this.#cleared(epoch);
        destroyed.push(epoch);
      }
    }
    return { destroyed, outstanding };
  }

  /** The query that stands before every destruction. A restored vault may have brought rows of a sealed epoch back: they move first. */
  async #assertUnused(epoch: number): Promise<void> {
    const { pool } = this.surroundings;
    try {
      await assertNothingBefore(pool, epoch + 1);
    } catch {
      await this.seal();
      await assertNothingBefore(pool, epoch + 1);
    }
  }

  async #cleared(epoch: number): Promise<void> {
    const { write, custodian, clock, assertActive } = this.surroundings;
    const state = await custodian.change((now) => withoutEpoch(now, epoch));
    await write(async (client) => {
      await noteDestroyed(client, epoch, clock.now());
      await noteCustodian(client, state);
      await assertActive(client);
    });
  }
}

/**
 * The state once every enrolled mirror has confirmed that the epoch's root is gone. A journal entry leaves with the last root
 * of its epoch and of those before it, and for no other reason: while one of them exists somewhere, a copy of the vault
 * from before the shred can still be opened and restored, and the entry is what shreds it again. Its age says nothing.
 */
export const withoutEpoch = (state: CustodianState, epoch: number): StateChange | undefined => {
  const epochs = state.epochs.filter((one) => one !== epoch);
  const retiring = state.retiring.filter((one) => one.epoch !== epoch);
  if (epochs.length === state.epochs.length && retiring.length === state.retiring.length) return undefined;
  const oldest = Math.min(...epochs);
  return {
    epochs,
    retiring,
    shredded: state.shredded.filter((entry) => entry.epoch >= oldest),
    closed: state.closed.filter((entry) => entry.epoch >= oldest),
  };
};
