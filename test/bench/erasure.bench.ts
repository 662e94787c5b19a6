import { randomUUID } from 'node:crypto';
import type { Draft } from '#events';
import type { CustomerId } from '#kernel';
import { newId, subjectOwner } from '#kernel';
import { Erasing } from '../faults/erasing.js';
import { reachesEnd } from './at-the-end.js';
import type { Bench, Report } from './bench.js';
import { timed } from './bench.js';
import { activity, bought, caseOpened, caseStreamOf, inBulk, noteAdded, purchaseStreamOf } from './business.js';
import { registered, write } from './business.js';
import type { RunningSystem } from './running-system.js';
import { withSystem } from './running-system.js';

const FEW = 10;
const MANY = 10_000;

/** Where a person's events stand. One key seals however many events of a case; a purchase has a key of its own. */
const SHAPES = {
  'notes in one case': (id) => [[caseStreamOf(), (n) => (n === 0 ? caseOpened(id) : noteAdded(id))]],
  'in the own stream': (id) => [[`customer-${id}`, () => activity(id)]],
  'purchases, a key each': (id, events) =>
    Array.from({ length: events - 1 }, () => [purchaseStreamOf(), () => bought(id)]),
} satisfies Record<
  string,
  (id: CustomerId, events: number) => readonly (readonly [stream: string, event: (n: number) => Draft<any>])[]
>;
type Shape = keyof typeof SHAPES;

/** An erasure as compliance staff order it, and what of it is the destruction of the keys. */
export const erasure: Bench = {
  name: 'erasure',
  about: 'erasure of a subject with 10 and with 10,000 events: the shred itself, and the order until the certificate',
  run: (report, { scale }) =>
    withSystem(async (system) => {
      await order(system, await personWith(report, system, 'notes in one case', FEW)); // warm
      const many = Math.max(FEW, Math.round(MANY * scale));
      for (const shape of Object.keys(SHAPES) as Shape[]) {
        const label = (events: number, what: string) => `${events.toLocaleString('en')} ${shape}: ${what}`;
        for (const events of [FEW, many]) {
          const base = (what: string) => (events === FEW ? undefined : label(FEW, what));
          const row = (what: string, ms: number) => report.row(label(events, what), ms, 'ms', base(what));
          row('shred', await shred(system, await personWith(report, system, shape, events)));
          const { ms, forgottenMs } = await order(system, await personWith(report, system, shape, events));
          row('order to certificate', ms);
          row('order to read models', forgottenMs);
        }
      }
    }),
};

/** A person with so many events, one of them the registration, and everything at rest. */
const personWith = async (report: Report, system: RunningSystem, shape: Shape, events: number): Promise<CustomerId> => {
  const { ledger } = system.parts;
  const id = newId<CustomerId>();
  await write(ledger, `customer-${id}`, [registered(id, 0)]);
  const streams = SHAPES[shape](id, events);
  const each = (events - 1) / streams.length;
  await inBulk(report, `${events} ${shape}`, streams.length, async (index) => {
    const [stream, event] = streams[index]!;
    await write(
      ledger,
      stream,
      Array.from({ length: each }, (_, n) => event(n)),
    );
  });
  await reachesEnd(report, system.parts);
  return id;
};

/** Milliseconds of the vault's work: journal, tombstones, and every holder's word that it has dropped the keys. */
const shred = async ({ parts: { shredder } }: RunningSystem, id: CustomerId): Promise<number> => {
  const [owner, orderId] = [subjectOwner(id), randomUUID()];
  const order = { orderId, owner, kind: 'erasure' as const };
  await shredder.fence({ ...order, except: [] });
  const scopeIds = (await shredder.scopesOf(owner)).map(({ scopeId }) => scopeId);
  return timed(() => shredder.shred({ ...order, scopeIds }));
};

/** From the request for the execution to the signed certificate, and until no row of a read model names the person. */
const order = async (system: RunningSystem, id: CustomerId): Promise<{ ms: number; forgottenMs: number }> => {
  const erasing = new Erasing(system.installation);
  const plan = await erasing.approve(await erasing.plan(id));
  const begun = performance.now();
  const position = await erasing.execute(plan);
  if ((await erasing.settled(plan, position)) !== 'erased') throw new Error('the plan had changed');
  await reachesEnd(undefined, system.parts);
  const forgottenMs = performance.now() - begun;
  const { body } = await erasing.status(plan, position);
  const at = (step: string) => Date.parse(body.steps.find((one: { step: string }) => one.step === step).at);
  return { ms: at('erased') - at('requested'), forgottenMs };
};
