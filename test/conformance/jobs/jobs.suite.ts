import type { ErasureId } from '#kernel';
import { MakulerError, newId } from '#kernel';
import type { Job, JobBackend, JobNotice, JobProcessor, JobRun, PayloadOf } from '#jobs';
import { BullJobs, WorkerHost, code, count, defineJob, flag, id, instant, nullable } from '#jobs';

/** A fresh, empty store of jobs. */
export interface JobStore {
  /** As another process would connect to it. */
  connect(workers: number): JobBackend;
  /** Everything that the store holds, as text. */
  dump(): Promise<string>;
  drop(): Promise<void>;
}

const Execute = defineJob(
  'execute-erasure',
  { erasureId: id<ErasureId>(), step: code('fence', 'shred'), n: nullable(count()) },
  { backoffMs: 10, attempts: 3 },
);
type Payload = PayloadOf<(typeof Execute)['fields']>;
const payload = (n: number | null = null): Payload => ({ erasureId: newId<ErasureId>(), step: 'fence', n });

/** Longer than anything here takes. */
const LONG_MS = 30_000;

const until = async <T>(look: () => T | Promise<T>): Promise<NonNullable<T>> => {
  for (const deadline = performance.now() + 20_000; ;) {
    const found = await look();
    if (found) return found;
    if (performance.now() > deadline) throw new Error('never came');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
};

/** What every backend of the job queues keeps, whatever it is made of. Without `patient`, what takes seconds is left out. */
export const jobsConformance = (name: string, open: () => Promise<JobStore>, { patient = true } = {}): void => {
  const slow = patient ? it : undefined;
  describe(`jobs on ${name}`, () => {
    let store: JobStore;
    let closing: (() => Promise<unknown>)[];
    let jobs: BullJobs;
    let notices: JobNotice[];

    beforeEach(async () => {
      store = await open();
      closing = [];
      notices = [];
      const backend = store.connect(0);
      await backend.prepare();
      jobs = new BullJobs(backend);
      closing.push(
        () => backend.close(),
        () => jobs.close(),
      );
    });
    afterEach(async () => {
      for (const close of closing.toReversed()) await close();
      await store.drop();
    });

    const host = async (
      process: (payload: Payload, run: JobRun) => Promise<void>,
      job: Job = Execute,
      { lockMs = 10_000, graceMs = 200 } = {},
    ) => {
      const backend = store.connect(1);
      await backend.prepare();
      const processor = { job, process } as JobProcessor;
      const worker = new WorkerHost({
        backend,
        processors: [processor],
        lockMs,
        graceMs,
        notice: (n) => notices.push(n),
      });
      await worker.start();
      let closed: Promise<void> | undefined;
      const close = () => (closed ??= worker.close().then(() => backend.close()));
      closing.push(close);
      return { worker, close };
    };

    it('does what was enqueued, before or after the worker came', async () => {
      const done: unknown[] = [];
      const before = payload(1);
      await jobs.enqueue(Execute, before);
      await host(async (given) => void done.push(given));
      const after = payload(2);
      await jobs.enqueue(Execute, after);
      await until(() => done.length === 2);
      expect(done).toEqual([before, after]);
    });

    it('does a job once, however often it is enqueued under one id', async () => {
      const done: number[] = [];
      await host(async ({ n }) => void done.push(n ?? 0));
      const jobId = newId();
      for (let i = 0; i < 3; i++) await jobs.enqueue(Execute, payload(1), { jobId });
      await until(() => done.length === 1);
      await jobs.enqueue(Execute, payload(1), { jobId });
      await jobs.enqueue(Execute, payload(2));
      await until(() => done.includes(2));
      expect(done).toEqual([1, 2]);
    });

    it.each([
      ['a text', { ...payload(), step: 'Kari Nordmann' }],
      ['a code that is not in the list', { ...payload(), step: 'kari' }],
      ['an undeclared field', { ...payload(), email: 'kari@example.no' }],
      ['a telephone number', { ...payload(), n: 90012345 }],
      ['an id that is none', { ...payload(), erasureId: 'kari' }],
      ['an object', { ...payload(), n: { name: 'Kari' } }],
    ])('refuses %s in a payload, and does not repeat it', async (_, given) => {
      const refused = await jobs.enqueue(Execute, given as Payload).catch((error: unknown) => error);
      expect(refused).toBeInstanceOf(MakulerError);
      expect(String(refused)).not.toMatch(/kari|90012345/i);
      expect(await jobs.counts(Execute)).toMatchObject({ waiting: 0 });
    });

    it('tries again after a failure, and keeps of it a code and nothing else', async () => {
      const attempts: number[] = [];
      await host(async (_, { attempt }) => {
        attempts.push(attempt);
        if (attempt === 1) throw new Error('Kari Nordmann, kari@example.no');
        if (attempt === 2) throw new MakulerError('scope-unknown', { detail: 'Kari Nordmann' });
        throw Object.assign(new Error('Kari Nordmann'), { name: 'Kari', stack: 'Error: Kari Nordmann\n  at Kari' });
      });
      await jobs.enqueue(Execute, payload());
      await until(async () => (await jobs.counts(Execute)).failed === 1);
      expect(attempts).toEqual([1, 2, 3]);
      const dump = await store.dump();
      expect(dump).toContain('internal');
      expect(dump).not.toMatch(/kari/i);
      expect(JSON.stringify(notices)).not.toMatch(/kari/i);
    });

    slow?.('waits out an outage without counting it as an attempt', async () => {
      let calls = 0;
      await host(async (_, { attempt }) => {
        expect(attempt).toBe(1);
        if (++calls < 3) throw new MakulerError('vault-unavailable');
      });
      await jobs.enqueue(Execute, payload());
      await until(() => notices.some(({ event }) => event === 'job.done'));
      expect(calls).toBe(3);
    });

    it('does a job again when its worker is killed', async () => {
      let killed = false;
      const first = await host(
        () => {
          killed = true;
          return new Promise(() => undefined);
        },
        Execute,
        { lockMs: 600 },
      );
      await jobs.enqueue(Execute, payload(7));
      await until(() => killed);
      // Closed while the job hangs: its connections are gone and its hold is no longer renewed, as after a kill -9.
      await first.close();
      const done: unknown[] = [];
      await host(async ({ n }) => void done.push(n), Execute, { lockMs: 600 });
      await until(() => done.length === 1);
      expect(done).toEqual([7]);
    });

    it('shares the work between processes, each job once', async () => {
      const done: number[] = [];
      const both = await Promise.all([1, 2].map(() => host(async ({ n }) => void done.push(n ?? -1))));
      expect(both).toHaveLength(2);
      await Promise.all(Array.from({ length: 40 }, (_, n) => jobs.enqueue(Execute, payload(n))));
      await until(() => done.length >= 40);
      expect(done.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, n) => n));
    });

    it('waits for a job that ends within the grace, which is done then and never again', async () => {
      const begun = Promise.withResolvers<void>();
      let runs = 0;
      const first = await host(
        async (_, { signal }) => {
          runs++;
          const stopping = new Promise((resolve) => signal.addEventListener('abort', resolve));
          begun.resolve();
          await stopping;
          // It has a step under way that it does not break off.
          for (let asked = 0; asked < 20; asked++) await jobs.counts(Execute);
        },
        Execute,
        { graceMs: LONG_MS },
      );
      await jobs.enqueue(Execute, payload());
      await begun.promise;
      await first.close();
      expect(notices.map(({ event }) => event)).toEqual(['job.done']);
      expect(await jobs.counts(Execute)).toEqual({ waiting: 0, active: 0, delayed: 0, failed: 0 });
      expect(runs).toBe(1);
    });

    it('tells a job under way that the process is asked to stop, and leaves it to the next one', async () => {
      let begun = false;
      const first = await host(async (_, { signal }) => {
        begun = true;
        await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('stopped'))));
      });
      await jobs.enqueue(Execute, payload());
      await until(() => begun);
      await first.close();
      // Given back, and not left to whoever notices that its worker is gone.
      expect((await jobs.counts(Execute)).active).toBe(0);
      let done = false;
      await host(async (_, { attempt }) => {
        expect(attempt).toBe(1);
        done = true;
      });
      await until(() => done);
    });

    slow?.('runs a schedule, one run a time however many processes say it', async () => {
      const Sweep = defineJob('sweep', { asOf: nullable(instant()), dryRun: flag() });
      const runs: number[] = [];
      expect(await jobs.isScheduled(Sweep as Job)).toBe(false);
      for (let i = 0; i < 3; i++) await jobs.schedule(Sweep, { asOf: null, dryRun: false }, { cron: '* * * * * *' });
      expect(await jobs.isScheduled(Sweep as Job)).toBe(true);
      await host(async () => void runs.push(Math.floor(Date.now() / 1000)), Sweep as Job);
      await until(() => runs.length >= 3);
      expect(new Set(runs).size).toBe(runs.length);
    });

    it('can be prepared by many processes at once', async () => {
      const backends = Array.from({ length: 4 }, () => store.connect(0));
      await Promise.all(backends.map((backend) => backend.prepare()));
      await Promise.all(backends.map((backend) => backend.close()));
    });
  });
};
