import type { Bench, Report } from './bench.js';
import { latenciesOf, quantile } from './bench.js';
import { personOf } from './business.js';
import type { RunningSystem } from './running-system.js';
import { withSystem } from './running-system.js';

const WARM_UP = 400;
const COMMANDS = { 1: 300, 8: 1_500, 32: 2_000 } as const;

/** Commands as an integrator sends them, to a whole system in real processes: HTTP, validation, policy, idempotency, seal, append. */
export const commands: Bench = {
  name: 'commands',
  about: 'commands over HTTP per second, and how long each takes',
  run: (report, { scale }) =>
    withSystem(async (system) => {
      let people = 0;
      const customers: string[] = [];
      const register = async () => {
        const body = { relationship: 'customer', ...personOf(people++) };
        const { customerId } = await accepted(system, '/v1/customers', body);
        customers.push(customerId);
      };
      const purchase = (index: number) =>
        accepted(system, '/v1/purchases', {
          ...{ customerId: customers[index % customers.length]!, purchasedAt: '2026-03-04', currency: 'NOK' },
          lines: [{ kind: 'product', itemType: 'dreiebenk', description: 'Dreiebenk', quantity: '1', unitPrice: '9' }],
        });
      await latenciesOf(WARM_UP, 8, register);
      await latenciesOf(WARM_UP, 8, purchase);
      await measure(report, 'register a customer', scale, register);
      await measure(report, 'record a purchase', scale, purchase);
    }),
};

const accepted = async ({ installation }: RunningSystem, path: string, body: object): Promise<any> => {
  const reply = await installation.post(path, body, { purpose: 'avtale' });
  if (reply.status !== 201) throw new Error(`POST ${path}: ${reply.status} ${reply.text}`);
  return reply.body;
};

const measure = async (
  report: Report,
  name: string,
  scale: number,
  command: (index: number) => Promise<unknown>,
): Promise<void> => {
  for (const [inFlight, operations] of Object.entries(COMMANDS)) {
    const { rate, samples } = await latenciesOf(Math.ceil(operations * scale), Number(inFlight), command);
    const base = (what: string) => (inFlight === '1' ? undefined : `${name}: 1 in flight${what}`);
    report.row(`${name}: ${inFlight} in flight`, rate, '/s', base(''));
    report.row(`${name}: ${inFlight} in flight, p50`, quantile(samples, 0.5), 'ms', base(', p50'));
    report.row(`${name}: ${inFlight} in flight, p99`, quantile(samples, 0.99), 'ms', base(', p99'));
  }
};
