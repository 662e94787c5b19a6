import type { ActorId } from '#kernel';
import { inContext, MakulerError, newId, systemContext } from '#kernel';
import type { ProjectionStates } from '#projections';
import { LedgerDouble } from '#testing';
import type { LossReport } from '#vault/operations';
import { VaultRecovery } from '#vault/operations';
import { ApproveLosses, ApproveLossesHandler } from './approve-losses.js';
import { FindLossesHandler } from './find-losses.js';
import { LOSSES_STREAM } from './losses.js';

const REPORT: LossReport = {
  hash: 'a'.repeat(64),
  scopes: { customer: 3 },
  missingEvents: { from: 7, to: 9 },
  doubt: undefined,
};

/** A vault that is closed for a loss, and what it was told to accept. */
class ClosedVault extends VaultRecovery {
  readonly accepted: string[] = [];
  found = REPORT;
  away = false;
  async gate() {
    return {
      serving: false,
      state: 'stale',
      why: '',
      wayOut: '',
      keys: { live: 0, expired: 0, erased: 0 },
      dirtyBuckets: 0,
    };
  }
  async losses() {
    return this.found;
  }
  async acceptLosses(hash: string) {
    if (this.away) throw new MakulerError('vault-unavailable');
    if (hash !== this.found.hash) throw new MakulerError('plan-changed');
    this.accepted.push(hash);
    return this.found;
  }
  async reapplied() {
    return { reconciliations: [], owners: [] };
  }
  async recorded() {}
}

describe('the way out of a closed gate', () => {
  let ledger: LedgerDouble;
  let vault: ClosedVault;
  const [operator, approver] = [newId<ActorId>(), newId<ActorId>()];
  const as = <T>(actor: ActorId, work: () => Promise<T>) => inContext(systemContext(actor), work);
  const find = () => as(operator, () => new FindLossesHandler(ledger, vault).execute());
  const approve = (lossId: string, by = approver, hash = REPORT.hash) =>
    as(by, () => new ApproveLossesHandler(ledger, vault, states).execute(new ApproveLosses(lossId, hash)));
  const types = async () => (await ledger.read(LOSSES_STREAM)).map(({ type }) => type);

  const rebuilt: string[] = [];
  const states = {
    list: async () => [
      { name: 'card', kind: 'projection' },
      { name: 'execution', kind: 'process' },
    ],
    requestRebuild: async (name: string) => void rebuilt.push(name),
  } as unknown as ProjectionStates;

  beforeEach(() => {
    rebuilt.length = 0;
    [ledger, vault] = [new LedgerDouble(), new ClosedVault()];
  });

  it('takes two persons and the hash of what is lost, and stands in the log', async () => {
    const { loss } = await find();
    expect(loss).toMatchObject({ state: 'found', report: REPORT });
    expect((await approve(loss.lossId)).loss).toMatchObject({ state: 'accepted' });
    expect(vault.accepted).toEqual([REPORT.hash]);
    expect(rebuilt).toEqual(['card']);
    expect(await types()).toEqual(['vault.losses-found', 'vault.losses-approved', 'vault.losses-accepted']);
  });

  it('is refused to whoever found it, under another hash, and for what was never found', async () => {
    const { loss } = await find();
    await expect(approve(loss.lossId, operator)).rejects.toMatchObject({ code: 'four-eyes' });
    await expect(approve(loss.lossId, approver, 'b'.repeat(64))).rejects.toMatchObject({ code: 'plan-changed' });
    await expect(approve(newId())).rejects.toMatchObject({ code: 'not-found' });
    expect(vault.accepted).toEqual([]);
    expect(await types()).toEqual(['vault.losses-found']);
  });

  it('needs another agreement when something else is lost by now', async () => {
    const { loss } = await find();
    vault.found = { ...REPORT, hash: 'c'.repeat(64) };
    await expect(approve(loss.lossId)).rejects.toMatchObject({ code: 'plan-changed' });
    expect(vault.accepted).toEqual([]);
  });

  it('goes on after it was cut off between the approval and the vault', async () => {
    const { loss } = await find();
    vault.away = true;
    await expect(approve(loss.lossId)).rejects.toMatchObject({ code: 'vault-unavailable' });
    expect(await types()).toEqual(['vault.losses-found', 'vault.losses-approved']);
    vault.away = false;
    await approve(loss.lossId);
    await approve(loss.lossId);
    expect(await types()).toEqual(['vault.losses-found', 'vault.losses-approved', 'vault.losses-accepted']);
  });
});
