import type { ActorId } from '#kernel';
import { inContext, newId, systemContext } from '#kernel';
import { LedgerDouble, OperationsDouble, SetClock, ShredderDouble } from '#testing';
import {
  AddMirror,
  AddMirrorHandler,
  ApproveMirrorRetirement,
  ApproveMirrorRetirementHandler,
  ProposeMirrorRetirement,
  ProposeMirrorRetirementHandler,
  RepairMirror,
  RepairMirrorHandler,
} from './mirrors.js';
import { GetMirrorsHandler } from './mirrors.query.js';
import { VAULT_LEDGER } from './sealed-epochs.js';

describe('the mirrors of the custodian', () => {
  const [operator, approver] = [newId<ActorId>(), newId<ActorId>()];
  let ledger: LedgerDouble;
  let vault: OperationsDouble;
  beforeEach(() => {
    const clock = new SetClock(new Date('2026-06-01T12:00:00Z'));
    ledger = new LedgerDouble(clock);
    vault = new OperationsDouble(new ShredderDouble(ledger.vault), clock);
  });

  const as = <T>(actor: ActorId, work: () => Promise<T>) => inContext(systemContext(actor), work);
  const add = (place: string) => as(operator, () => new AddMirrorHandler(vault, ledger).execute(new AddMirror(place)));
  const propose = (actor: ActorId, id: string) =>
    as(actor, () => new ProposeMirrorRetirementHandler(vault, ledger).execute(new ProposeMirrorRetirement(id)));
  const approve = (actor: ActorId, id: string) =>
    as(actor, () => new ApproveMirrorRetirementHandler(vault, ledger).execute(new ApproveMirrorRetirement(id)));
  const repair = (id: string) =>
    as(operator, () => new RepairMirrorHandler(vault, ledger).execute(new RepairMirror(id)));
  const mirrors = () => new GetMirrorsHandler(vault, ledger).execute();
  const recorded = async () => (await ledger.read(VAULT_LEDGER)).map(({ type, data }) => [type, data.mirrorId]);

  it('are added with an event that names the id and not the place', async () => {
    const { mirrorId } = await add('/mnt/kari-nordmann');
    expect(await recorded()).toEqual([['custodian.mirror-added', mirrorId]]);
    expect(JSON.stringify(await ledger.read(VAULT_LEDGER), bigints)).not.toContain('kari');
  });

  it('are retired by two persons only, each step recorded once, however often it is sent', async () => {
    await expect(approve(approver, 'b')).rejects.toMatchObject({ code: 'not-found' });
    await expect(propose(operator, 'nobody')).rejects.toMatchObject({ code: 'mirror-unknown' });
    await propose(operator, 'b');
    expect((await mirrors()).map(({ id, retirementProposed }) => [id, retirementProposed])).toEqual([
      ['a', false],
      ['b', true],
    ]);
    // Proposing too is not approving: the one who proposed first still may not approve.
    await propose(approver, 'b');
    await expect(approve(operator, 'b')).rejects.toMatchObject({ code: 'four-eyes' });
    expect(await mirrors()).toHaveLength(2);
    await approve(approver, 'b');
    expect((await mirrors()).map(({ id }) => id)).toEqual(['a']);
    expect(await recorded()).toEqual([
      ['custodian.mirror-retirement-proposed', 'b'],
      ['custodian.mirror-retired', 'b'],
    ]);
  });

  it('finish a retirement that was cut off between vault and log', async () => {
    await propose(operator, 'b');
    await vault.retireMirror('b');
    await approve(approver, 'b');
    expect((await recorded()).at(-1)).toEqual(['custodian.mirror-retired', 'b']);
  });

  it('keep the last one that is there, and record a repair', async () => {
    vault.away.add('a');
    await propose(operator, 'b');
    await expect(approve(approver, 'b')).rejects.toMatchObject({ code: 'mirror-last' });
    await repair('a');
    await approve(approver, 'b');
    expect((await recorded()).map(([type]) => type)).toEqual([
      'custodian.mirror-retirement-proposed',
      'custodian.mirror-repaired',
      'custodian.mirror-retired',
    ]);
  });
});

const bigints = (_: string, value: unknown) => (typeof value === 'bigint' ? String(value) : value);
