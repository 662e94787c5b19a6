import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { CustomerId } from '#kernel';
import type { PartName } from '../journeys/installation.js';
import { reachesEnd } from './at-the-end.js';
import type { Bench, Report } from './bench.js';
import { slopeOf } from './bench.js';
import { inBulk, personOf, writeCustomer } from './business.js';
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
      const ids: CustomerId[] = [];
      await inBulk(report, 'making customers', CUSTOMERS, async (n) => {
        ids[n] = await writeCustomer(system.parts.ledger, n);
      });
      await reachesEnd(report, system.parts);
      const load = (share: number, step: string) =>
        underLoad(report, system, ids, { ms: share * minutes * 60_000, step });
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
  ids: readonly string[],
  { ms: durationMs, step }: { readonly ms: number; readonly step: string },
): Promise<readonly (readonly [ms: number, sampled: Sample])[]> => {
  const samples: [number, Sample][] = [];
  const begun = performance.now();
  const past = () => performance.now() - begun;
  const lane = async (first: number) => {
    for (let n = first; past() < durationMs; n += LANES) await oneStep(system, ids, n);
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

/** What a shop does all day, about people whom it knows: a purchase, the card, the history, a search. */
const oneStep = async ({ installation }: RunningSystem, ids: readonly string[], n: number): Promise<void> => {
  const at = n % ids.length;
  const customerId = ids[at]!;
  const desk = { as: 'service-desk', purpose: 'kundehjelp' } as const;
  const lines = [{ kind: 'product', itemType: 'fres', description: 'Fres', quantity: '1', unitPrice: '9' }];
  const purchase = { customerId, purchasedAt: '2026-03-04', currency: 'NOK', lines };
  const replies = [
    await installation.post('/v1/purchases', purchase, { purpose: 'avtale' }),
    await installation.get(`/v1/customers/${customerId}`, desk),
    await installation.get(`/v1/customers/${customerId}/purchases`, desk),
    await installation.post('/v1/customers/search', { email: personOf(at).email }, desk),
  ];
  for (const { status, text } of replies) if (status >= 400) throw new Error(`${status} ${text}`);
};
