import { Injectable, Module } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import type { Parts } from '#composition';
import type { JobRun } from '#jobs';
import { BullJobs, JobProcessor, count, defineJob, id, jobBackend } from '#jobs';
import { newId } from '#kernel';
import { Ledger } from '#ledger';
import { createLogger, Metrics } from '#observability';
import { createPool } from '#postgres';
import { LedgerDouble, SetClock, testDatabase } from '#testing';
import { host } from './host.js';

const probe = defineJob('probe', { id: id(), n: count() });
const done: unknown[] = [];

@Injectable()
class ProbeProcessor extends JobProcessor<(typeof probe)['fields']> {
  readonly job = probe;
  constructor(
    private readonly ledger: Ledger,
    private readonly commands: CommandBus,
  ) {
    super();
  }
  async process(payload: { n: number }, { attempt }: JobRun) {
    done.push({ n: payload.n, attempt, head: await this.ledger.head(), bus: this.commands instanceof CommandBus });
  }
}

@Module({ providers: [ProbeProcessor] })
class ProbeModule {}

describe('the worker', () => {
  it('injects the parts into processors, does jobs and schedules, and stops', async () => {
    const database = await testDatabase();
    const readModels = createPool(database.url, { name: 'worker' });
    const parts = {
      ledger: new LedgerDouble(),
      clock: new SetClock(new Date()),
      metrics: new Metrics('worker'),
      logger: createLogger({ name: 'worker', level: 'silent' }),
      readModels,
    } as unknown as Parts;
    const scheduled = { job: probe, payload: { id: newId(), n: 2 }, cron: '* * * * * *' };
    const worker = await host(parts, jobBackend({ databaseUrl: database.url, workers: 1 }), {
      modules: [ProbeModule],
      processors: [ProbeProcessor],
      schedules: [scheduled],
      resumes: [],
    });
    const backend = jobBackend({ databaseUrl: database.url });
    const jobs = new BullJobs(backend);
    await jobs.enqueue(probe, { id: newId(), n: 1 });
    while (done.length < 2) await new Promise((resolve) => setTimeout(resolve, 20));
    const shown = (await parts.metrics.exposition()).text;
    await jobs.close();
    await backend.close();
    await worker.stop();
    await readModels.end();
    await database.drop();
    expect(shown).toContain('makuler_jobs{queue="probe",state="failed",program="worker"} 0');
    expect(done).toContainEqual({ n: 1, attempt: 1, head: 0n, bus: true });
    expect(done).toContainEqual({ n: 2, attempt: 1, head: 0n, bus: true });
  });
});
