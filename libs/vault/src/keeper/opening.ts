import type { Activity } from './active.js';
import { assertFits } from './closed-gate.js';
import { notePlaces } from './custodian/mirror-table.js';
import { openEpochKeys } from './epochs/epoch-keys.js';
import { stillThere } from './forgotten.js';
import { found, takeOver } from './founding.js';
import type { GateFacts } from './gate-judgement.js';
import { judge, judgeForgotten } from './gate-judgement.js';
import type { HandedOut, Interrupt } from './handed-out.js';
import { Holders } from './holders.js';
import { BucketKeyring } from './keyring.js';
import type { OpenVault, OpenVaultOptions } from './open-vault.js';
import { assemble } from './open-vault.js';
import { noteReconciled } from './reapplied.js';
import { replayJournal } from './reconcile.js';

interface Beginning {
  readonly activity: Activity;
  readonly facts: GateFacts;
  readonly handedOut: HandedOut;
  /** Whether this process has had another life before. */
  readonly hasLived: boolean;
  /** Whether leases may be given. */
  readonly mayRenew: () => boolean;
  readonly interrupt: Interrupt;
}

/**
 * Reconciles database, custodian and log, and makes of them a life of the vault that may be served from; `applied`: how many shreds
 * of the journal had been missing. Throws ClosedGate when they do not fit together.
 */
export const openLife = async (
  options: OpenVaultOptions & { readonly leaseMs: number },
  { activity, facts, handedOut, hasLived, mayRenew, interrupt }: Beginning,
): Promise<{ readonly open: OpenVault; readonly applied: number }> => {
  const { pool, custodian, clock, leaseMs } = options;
  const { token, write } = activity;
  assertFits(judge(facts));
  const life = { token, write, leaseMs, now: clock.now() };
  const row = await found(pool, custodian, life);
  await takeOver(row, life);
  const keyring = new BucketKeyring(row.installation, await openEpochKeys(pool, custodian, row), row.epoch);
  try {
    const applied = await replayJournal({ pool, write, keyring, custodian });
    assertFits(judgeForgotten(await stillThere({ pool, write }, keyring, facts.log.forgot)));
    if (applied > 0) await write((client) => noteReconciled(client, applied));
    handedOut.note(row.incarnation, Number(row.mint_sequence));
    // Processes may still hold what the life before this one leased to them: a shred waits for that too. Only the very first life
    // of an installation has none before it. One that did not give up its right may even give leases for a while yet, and for
    // no longer than one (`Keeper.#mayRenew`).
    const longestMs = Math.max(leaseMs, row.lease_ms) * (activity.isInherited ? 2 : 1);
    const inheritedMs = hasLived || row.mint_sequence !== '0' ? longestMs : 0;
    const holders = new Holders(clock, leaseMs, inheritedMs, mayRenew);
    const { installation, incarnation } = row;
    const open = assemble(options, { activity, keyring, holders, installation, incarnation }, handedOut, interrupt);
    await open.epochs.adopt();
    await write((client) => notePlaces(client, custodian, clock.now()));
    return { open, applied };
  } catch (error) {
    keyring.wipe();
    throw error;
  }
};
