import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { CustomerId } from '#kernel';
import type { PartName } from '../journeys/installation.js';
import { reachesEnd } from './at-the-end.js';
import type { Bench, Report } from './bench.js';
import { slopeOf } from './bench.js';
import { inBulk, personOf, writeCustomer } from './business.js';
import type { RunningSystem } from './running-system.js';
import { withSystem } from './running-system.js';

const CUSTOMERS = 500;
const SAMPLE_MS = 500;
const LANES = 4;
/** Share of the time that is not fitted: caches fill, code is compiled. */
const WARM_UP = 0.4;
const PARTS = ['event-node', 'vault', 'api', 'projector', 'worker'] as const satisfies readonly PartName[];
const HOUR_MS = 3_600_000;
const MIB = 1024;

/**
 * Resident memory of each process under a steady load on people who are all there: what grows then is no data. A line is
 * fitted through the samples after the warm-up; its slope an hour says whether it would grow for ever.
 */
export const memory: Bench = {
  name: 'memory',
  about: 'resident memory of each process, and how it grows under load (--minutes, 1 unless told; 10 say more)',
  run: (report, { minutes }) =>
    withSystem(async (system) => {
      const idle = await sample(system);
      for (const part of PARTS) report.row(`${part}: at rest`, idle[part], 'MiB');
      report.row('all: at rest', total(idle), 'MiB');
      const ids: CustomerId[] = [];
      await inBulk(report, 'making customers', CUSTOMERS, async (n) => {
        ids[n] = await writeCustomer(system.parts.ledger, n);
      });
      await reachesEnd(report, system.parts);
      const samples = await underLoad(report, system, ids, minutes * 60_000);
      const fitted = samples.filter(([ms]) => ms >= WARM_UP * minutes * 60_000);
      for (const part of PARTS) {
        const { slope, mean } = slopeOf(fitted.map(([ms, memory]) => [ms, memory[part]]));
        report.row(`${part}: under load`, mean, 'MiB', `${part}: at rest`);
        report.row(`${part}: growth in an hour`, slope * HOUR_MS, 'MiB', `${part}: under load`);
      }
      const { slope, mean } = slopeOf(fitted.map(([ms, memory]) => [ms, total(memory)]));
      report.row('all: under load', mean, 'MiB', 'all: at rest');
      report.row('all: growth in an hour', slope * HOUR_MS, 'MiB', 'all: under load');
    }),
};

type Sample = Readonly<Record<(typeof PARTS)[number], number>>;
const total = (sampled: Sample): number => Object.values(sampled).reduce((sum, mib) => sum + mib, 0);

/** Resident memory in MiB, as Linux counts it (proc_pid_status(5)). Throws where there is no /proc. */
const sample = async ({ installation }: RunningSystem): Promise<Sample> => {
  const pids = await installation.pids();
  const resident = async (pid: number) => {
    const status = await readFile(`/proc/${pid}/status`, 'utf8');
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)![1]) / MIB;
  };
  const entries = await Promise.all(PARTS.map(async (part) => [part, await resident(pids[part])] as const));
  return Object.fromEntries(entries) as Sample;
};

const underLoad = async (
  report: Report,
  system: RunningSystem,
  ids: readonly string[],
  durationMs: number,
): Promise<readonly (readonly [ms: number, sampled: Sample])[]> => {
  const samples: [number, Sample][] = [];
  const begun = performance.now();
  const past = () => performance.now() - begun;
  const lane = async (first: number) => {
    for (let n = first; past() < durationMs; n += LANES) await oneStep(system, ids, n);
  };
  const watch = async () => {
    while (past() < durationMs) {
      samples.push([past(), await sample(system)]);
      report.progress('under load', past() / durationMs);
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
