import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { CustomerId } from '#kernel';
import type { PartName } from '../journeys/installation.js';
import { reachesEnd } from './at-the-end.js';
import type { Bench, Report } from './bench.js';
import { slopeOf } from './bench.js';
import { caseOpened, caseStreamOf, inBulk, personOf, write, writeCustomer } from './business.js';
import { liveMemory } from './live-memory.js';
import type { RunningSystem } from './running-system.js';
import { withSystem } from './running-system.js';

const CUSTOMERS = 500;
const SAMPLE_MS = 500;
const LANES = 4;
/** Shares of the time: until caches are full and code is compiled, and then until V8's spaces have the size that the load gives them. */
const FILLING = 0.2;
const SETTLING = 0.2;
const PARTS = ['event-node', 'vault', 'api', 'projector', 'worker'] as const satisfies readonly PartName[];
const HOUR_MS = 3_600_000;
const KIB = 1024;

/**
 * Memory of each process under a steady load on people who are all there: what grows then is no data. A line is fitted through
 * the samples of resident memory after the warm-up; what is still reached then, and in the end, says whether anything is kept.
 */
export const memory: Bench = {
  name: 'memory',
  about:
    'memory of each process, resident and live, and how it grows under load (--minutes, 1 unless told; 10 say more)',
  run: (report, { minutes }) =>
    withSystem(async (system) => {
      const idle = await sample(system, resident);
      for (const part of PARTS) report.row(`${part}: at rest`, idle[part], 'MiB');
      report.row('all: at rest', total(idle), 'MiB');
      const people: Known[] = [];
      await inBulk(report, 'making customers', CUSTOMERS, async (n) => {
        const { ledger } = system.parts;
        const customerId = await writeCustomer(ledger, n);
        const stream = caseStreamOf();
        await write(ledger, stream, [caseOpened(customerId)]);
        people[n] = { customerId, caseId: stream.slice('service-'.length) };
      });
      await reachesEnd(report, system.parts);
      const load = (share: number, step: string) =>
        underLoad(report, system, people, { ms: share * minutes * 60_000, step });
      await load(FILLING, 'caches fill');
      const liveBefore = await sample(system, liveMemory);
      const begun = performance.now();
      await load(SETTLING, 'spaces settle');
      const fitted = await load(1 - FILLING - SETTLING, 'under load');
      const liveAfter = await sample(system, liveMemory);
      const hours = (performance.now() - begun) / HOUR_MS;
      for (const [name, of] of [
        ...PARTS.map((part) => [part, (one: Sample) => one[part]] as const),
        ['all', total] as const,
      ]) {
        const { slope, mean } = slopeOf(fitted.map(([ms, memory]) => [ms, of(memory)]));
        report.row(`${name}: under load`, mean, 'MiB', `${name}: at rest`);
        report.row(`${name}: growth in an hour`, slope * HOUR_MS, 'MiB', `${name}: under load`);
        report.row(`${name}: live`, of(liveAfter), 'MiB', `${name}: under load`);
        report.row(
          `${name}: live, growth in an hour`,
          (of(liveAfter) - of(liveBefore)) / hours,
          'MiB',
          `${name}: live`,
        );
      }
    }),
};

/** Somebody with a case that is open. */
interface Known {
  readonly customerId: CustomerId;
  readonly caseId: string;
}
type Sample = Readonly<Record<(typeof PARTS)[number], number>>;
const total = (sampled: Sample): number => Object.values(sampled).reduce((sum, mib) => sum + mib, 0);

const sample = async ({ installation }: RunningSystem, memoryOf: (pid: number) => Promise<number>): Promise<Sample> => {
  const pids = await installation.pids();
  const sampled: Partial<Record<keyof Sample, number>> = {};
  for (const part of PARTS) sampled[part] = await memoryOf(pids[part]);
  return sampled as Sample;
};

/**
 * Resident memory of its own (`RssAnon`, proc_pid_status(5)) in MiB: what is mapped from files, such as Node itself, is the machine's
 * to drop and to read again. Throws where there is no /proc.
 */
const resident = async (pid: number): Promise<number> => {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/RssAnon:\s+(\d+) kB/.exec(status)![1]) / KIB;
};

const underLoad = async (
  report: Report,
  system: RunningSystem,
  people: readonly Known[],
  { ms: durationMs, step }: { readonly ms: number; readonly step: string },
): Promise<readonly (readonly [ms: number, sampled: Sample])[]> => {
  const samples: [number, Sample][] = [];
  const begun = performance.now();
  const past = () => performance.now() - begun;
  const lane = async (first: number) => {
    for (let n = first; past() < durationMs; n += LANES) await oneStep(system, people, n);
  };
  const watch = async () => {
    while (past() < durationMs) {
      samples.push([past(), await sample(system, resident)]);
      report.progress(step, past() / durationMs);
      await delay(SAMPLE_MS);
    }
  };
  await Promise.all([watch(), ...Array.from({ length: LANES }, (_, first) => lane(first))]);
  return samples;
};

/** What a service desk does all day about people whom it knows, under keys that are there: a search, the card, the history, a note in their case. */
const oneStep = async ({ installation }: RunningSystem, people: readonly Known[], n: number): Promise<void> => {
  const at = n % people.length;
  const { customerId, caseId } = people[at]!;
  const desk = { as: 'service-desk', purpose: 'kundehjelp' } as const;
  const replies = [
    await installation.post('/v1/customers/search', { email: personOf(at).email }, desk),
    await installation.get(`/v1/customers/${customerId}`, desk),
    await installation.get(`/v1/customers/${customerId}/purchases`, desk),
    await installation.post(`/v1/service-cases/${caseId}/notes`, { text: 'Called, no answer.' }, desk),
  ];
  for (const { status, text } of replies) if (status >= 400) throw new Error(`${status} ${text}`);
};
