import type { CommandBus } from '@nestjs/cqrs';
import type { Checkpoints } from '#chain';
import type { ActorId, CustomerId } from '#kernel';
import { inContext, MakulerError, newId, subjectOwner, systemContext } from '#kernel';
import { ClockGuard } from '#retention';
import type { DyingProcess } from '#testing';
import { killedAt, LedgerDouble, OperationsDouble, SetClock, ShredderDouble } from '#testing';
import { DestroyRootsProcessor } from './destroy-roots.job.js';
import { EpochRecord } from './epoch-record.js';
import { GetEpochsHandler } from './epochs.query.js';
import { rootDestruction } from './root-destruction.process.js';
import { SealEpochProcessor } from './seal-epoch.job.js';
import type { Sealing } from './seal-epoch.js';
import { SealEpoch, SealEpochHandler } from './seal-epoch.js';
import { VAULT_LEDGER } from './sealed-epochs.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const unharmed: Pick<DyingProcess, 'within'> = { within: (whole) => whole };

describe('epochs', () => {
  let clock: SetClock;
  let ledger: LedgerDouble;
  let shredder: ShredderDouble;
  let vault: OperationsDouble;

  beforeEach(async () => {
    clock = new SetClock(new Date('2026-06-01T12:00:00Z'));
    ledger = new LedgerDouble(clock);
    shredder = new ShredderDouble(ledger.vault);
    vault = new OperationsDouble(shredder, clock);
    covered = [];
    altered = false;
    await as(() => new ClockGuard(ledger, clock).trust());
  });

  /** Epoch in force when a checkpoint of the log was made. */
  let covered: number[] = [];
  let altered = false;
  const checkpoints = {
    now: async () => {
      if (altered) throw new MakulerError('log-altered');
      covered.push((await vault.epochs()).current);
    },
  } as unknown as Checkpoints;
  const as = <T>(work: () => Promise<T>) => inContext(systemContext(newId<ActorId>()), work);
  /** One process: what it knows dies with it. */
  const started = ({ within } = unharmed) => {
    const guard = new ClockGuard(within(ledger), clock);
    const record = new EpochRecord(within(ledger), within(vault), clock);
    const handler = new SealEpochHandler(guard, within(checkpoints), within(vault), record);
    const bus = { execute: (command: SealEpoch) => handler.execute(command) } as unknown as CommandBus;
    return {
      seal: (force = false): Promise<Sealing> => as(() => handler.execute(new SealEpoch(force))),
      sealJob: () => new SealEpochProcessor(within(vault), bus, clock).process(),
      destroyJob: () => new DestroyRootsProcessor(guard, within(vault), record).process(),
    };
  };
  /** Somebody is erased: a key dies. */
  const shred = async () => {
    const owner = subjectOwner(newId<CustomerId>());
    const scope = { owner, category: 'contact', partition: '', stream: `customer-${owner.id}` };
    const [key] = await ledger.vault.withSealing([scope], async ({ keys }) => keys);
    const orderId = newId();
    await shredder.fence({ orderId, owner, kind: 'erasure', except: [] });
    await shredder.shred({ orderId, owner, scopeIds: [key!.scopeId], kind: 'erasure' });
    return orderId;
  };
  const recorded = async () =>
    (await ledger.read(VAULT_LEDGER))
      .filter(({ type }) => type.startsWith('epoch.'))
      .map(({ type, data }) => [type, (data as unknown as { epoch: number }).epoch]);
  /** Days pass with a heartbeat each hour, as on a machine that runs. */
  const pass = async (ms: number) => {
    for (let left = ms; left > 0; left -= HOUR) {
      clock.pass(Math.min(left, HOUR));
      await as(() => new ClockGuard(ledger, clock).trust());
    }
  };
  const codeOf = (work: Promise<unknown>) =>
    work.then(
      () => 'done',
      (error: { code?: string }) => error.code,
    );

  it('are sealed when something was shredded, and recorded with date and counts', async () => {
    expect(await started().seal()).toMatchObject({ sealed: false, epoch: 1, position: undefined });
    await shred();
    expect(await started().seal()).toMatchObject({ sealed: true, epoch: 2, destroyAt: '2026-07-01T12:00:00.000Z' });
    const [event] = (await ledger.read(VAULT_LEDGER)).filter(({ type }) => type === 'epoch.sealed');
    expect(event?.data).toEqual({
      ...{ epoch: 1, sealedAt: '2026-06-01T12:00:00.000Z', destroyAt: '2026-07-01T12:00:00.000Z' },
      ...{ rotated: 1, rewrapped: 0 },
    });
    expect(await started().seal(true)).toMatchObject({ sealed: true, epoch: 3 });
    expect(covered).toEqual([1, 1, 2]);
  });

  it('are sealed beside a log that was altered too, and it is said all the same', async () => {
    await shred();
    altered = true;
    expect(await codeOf(started().seal())).toBe('log-altered');
    expect((await vault.epochs()).current).toBe(2);
    expect(await recorded()).toEqual([['epoch.sealed', 1]]);
  });

  it('are sealed by the job a little before the time that the plan promised, and not long before', async () => {
    await shred();
    expect(await started().sealJob()).toEqual({ sealed: 0 });
    await pass(DAY - 10 * 60_000);
    expect(await started().sealJob()).toEqual({ sealed: 1, rotated: 1, rewrapped: 0 });
    const { retiring } = await vault.epochs();
    expect(Date.parse(retiring[0]!.sealedAt)).toBeLessThan(clock.now().getTime() + 1);
  });

  it('lose their roots on the date, not before it, and every mirror has to say so', async () => {
    await shred();
    await started().seal();
    await pass(30 * DAY - HOUR);
    expect(await started().destroyJob()).toEqual({ destroyed: 0, outstanding: 0 });
    vault.away.add('b');
    await pass(2 * HOUR);
    expect(await started().destroyJob()).toEqual({ destroyed: 0, outstanding: 1 });
    expect(await recorded()).toEqual([['epoch.sealed', 1]]);
    const view = () => new GetEpochsHandler(vault, clock).execute();
    expect((await view()).retiring).toMatchObject([{ epoch: 1, outstanding: ['b'], overdue: false }]);
    await pass(2 * HOUR);
    expect((await view()).retiring).toMatchObject([{ epoch: 1, outstanding: ['b'], overdue: true }]);
    vault.away.clear();
    expect(await started().destroyJob()).toEqual({ destroyed: 1, outstanding: 0 });
    expect(await recorded()).toEqual([
      ['epoch.sealed', 1],
      ['epoch.roots-destroyed', 1],
    ]);
  });

  it('whose roots went with a lost custodian are never said to be destroyed', async () => {
    await shred();
    await started().seal();
    vault.loseCustodian();
    const process = started();
    expect(await process.destroyJob()).toEqual({ destroyed: 0, outstanding: 0 });
    expect(await recorded()).toEqual([['epoch.sealed', 1]]);
    await shred();
    await process.seal();
    await pass(30 * DAY);
    expect(await process.destroyJob()).toEqual({ destroyed: 1, outstanding: 0 });
    expect(await recorded()).toEqual([
      ['epoch.sealed', 1],
      ['epoch.sealed', 3],
      ['epoch.roots-destroyed', 3],
    ]);
  });

  describe.each(['before', 'after'] as const)('when a process is killed %s any of its calls', (when) => {
    it('are each recorded once by those that come later', async () => {
      vault = new OperationsDouble(shredder, clock, { windowMs: HOUR });
      let kills = 0;
      for (let nth = 0; ; nth++) {
        const process = killedAt(nth, when);
        const dying = started(process);
        await shred();
        const die = async (work: Promise<unknown>) => {
          await work.catch((error: Error) => expect(error.message).toBe('killed'));
        };
        await die(dying.seal());
        await pass(HOUR);
        await die(dying.destroyJob());
        if (!process.wasKilled()) break;
        kills++;
        await started().seal();
        await pass(2 * HOUR);
        await started().destroyJob();
      }
      expect(kills).toBeGreaterThan(8);
      const { current } = await vault.epochs();
      const gone = Array.from({ length: current - 1 }, (_, n) => n + 1);
      const events = await recorded();
      const of = (type: string) => events.filter(([is]) => is === type).map(([, epoch]) => epoch);
      expect([of('epoch.sealed'), of('epoch.roots-destroyed')]).toEqual([gone, gone]);
    });
  });

  it.each([
    ['three days ahead', 3 * DAY],
    ['in 2040', Date.parse('2040-01-01T00:00:00Z') - Date.parse('2026-06-01T12:00:00Z')],
    ['two hours behind', -2 * HOUR],
  ])('under a clock that is %s nothing is destroyed and no date is set, until somebody confirms it', async (_, ms) => {
    await shred();
    vault = new OperationsDouble(shredder, clock, { windowMs: 0 });
    await started().seal();
    await shred();
    const before = await vault.epochs();
    clock.set(new Date(clock.now().getTime() + ms));
    const { seal, sealJob, destroyJob } = started();
    expect(await codeOf(seal())).toBe('clock-implausible');
    expect(await codeOf(destroyJob())).toBe('clock-implausible');
    if (ms > 0) expect(await codeOf(sealJob())).toBe('clock-implausible');
    expect(await vault.epochs()).toMatchObject({ current: before.current, retiring: before.retiring });
    await as(() => new ClockGuard(ledger, clock).confirm());
    expect(await seal()).toMatchObject({ sealed: true });
    if (ms > 0) expect(await destroyJob()).toEqual({ destroyed: 2, outstanding: 0 });
  });

  it('wake the job that destroys their roots on the date', async () => {
    await shred();
    await started().seal();
    const [sealed] = (await ledger.read(VAULT_LEDGER)).filter(({ type }) => type === 'epoch.sealed');
    const enqueued: unknown[] = [];
    const jobs = { enqueue: async (...job: unknown[]) => (enqueued.push(job), newId()) };
    await rootDestruction(jobs as never).reactionTo('epoch.sealed')!(sealed!);
    expect(enqueued).toEqual([
      [expect.objectContaining({ name: 'destroy-roots' }), {}, { jobId: sealed!.eventId, delayMs: 30 * DAY + 500 }],
    ]);
  });
});
