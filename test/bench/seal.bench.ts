import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTick } from 'node:timers/promises';
import type { OwnerRef, ScopeId, SubjectId } from '#kernel';
import { newId, subjectOwner, SystemClock } from '#kernel';
import { createPool } from '#postgres';
import { EventStoreDouble, testDatabase } from '#testing';
import { CustodianMirrors, FileCustodian, Keeper } from '#vault/keeper';
import { EventLogWitness } from '../../apps/vault/src/event-log-witness.js';
import type { Bench, Report } from './bench.js';
import { quantile, timed } from './bench.js';

/** Owners fill a bucket at 32: with 6 scopes each a bucket holds 192, and a million keys lie in more than 5,000 buckets. */
const SCOPES_EACH = 6;
const SIZES = [10_000, 100_000, 1_000_000] as const;
/** Share of the buckets in which a key was shredded before the second seal. */
const SHARE = 0.01;

/** A seal at three sizes of the vault, after one shred and after shreds in 1 % of the buckets, with opens meanwhile. */
export const seal: Bench = {
  name: 'seal',
  about: 'sealing an epoch, with concurrent opens; shred latency',
  async run(report) {
    const directory = await mkdtemp(join(tmpdir(), 'makuler-bench-'));
    const database = await testDatabase();
    const pool = createPool(database.url, { name: 'bench' });
    const custodian = new CustodianMirrors(['a', 'b'].map((name) => new FileCustodian(join(directory, name))));
    const keeper = await Keeper.start({
      pool,
      custodian,
      log: new EventLogWitness(new EventStoreDouble()),
      clock: new SystemClock(),
      leaseMs: 5_000,
      epochWindowMs: 0,
      sealEveryMs: 86_400_000,
      onRefused: (refusal) => console.error(refusal.message),
    });
    try {
      const owners: { owner: OwnerRef; scopeIds: readonly ScopeId[] }[] = [];
      for (const size of SIZES) {
        await fill(keeper, owners, size);
        await measure(report, keeper, owners, size, label(size));
      }
    } finally {
      await keeper.stop();
      await pool.end();
      await database.drop();
      await rm(directory, { recursive: true, force: true });
    }
  },
};

const label = (size: number): string => `${size.toLocaleString('en')} keys`;

type Owners = { owner: OwnerRef; scopeIds: readonly ScopeId[] }[];

const fill = async (keeper: Keeper, owners: Owners, size: number): Promise<void> => {
  const batch = 400;
  while (owners.length * SCOPES_EACH < size) {
    const added = Array.from({ length: batch }, () => subjectOwner(newId<SubjectId>()));
    const { outcomes } = await keeper.mint(
      added.map((owner) =>
        Array.from({ length: SCOPES_EACH }, (_, index) => ({
          owner,
          category: 'purchase',
          partition: `${index}`,
          stream: `purchase-${randomUUID()}`,
        })),
      ),
    );
    for (const [index, outcome] of outcomes.entries())
      if ('keys' in outcome)
        owners.push({ owner: added[index]!, scopeIds: outcome.keys.map(({ scopeId }) => scopeId) });
  }
};

const shredOne = async (keeper: Keeper, { owner, scopeIds }: Owners[number]): Promise<void> => {
  const order = { orderId: randomUUID(), owner, kind: 'expiry' as const };
  await keeper.fence({ ...order, except: [] });
  await keeper.shred({ ...order, scopeIds: scopeIds.slice(0, 1) });
  await keeper.release(owner, order.orderId);
};

const measure = async (report: Report, keeper: Keeper, owners: Owners, size: number, name: string): Promise<void> => {
  const { buckets } = await keeper.status();
  report.row(`${name}: buckets`, buckets, '');
  report.row(`${name}: open, p99, alone`, await opensWhile(keeper, owners, () => rest(1_000)), 'ms');
  report.row(`${name}: shred, one scope`, await timed(() => shredOne(keeper, owners.splice(-1)[0]!)), 'ms');
  let sealMs = 0;
  const one = await opensWhile(keeper, owners, async () => {
    sealMs = await timed(() => keeper.sealEpoch(false));
  });
  report.row(`${name}: seal after one shred`, sealMs, 'ms');
  report.row(`${name}: open, p99, during that seal`, one, 'ms', `${name}: open, p99, alone`);
  // The owners stand in the order in which they filled the buckets, so every hundredth bucket is met once.
  const step = Math.ceil(owners.length / (buckets * SHARE));
  for (let index = 0; index < owners.length; index += step) await shredOne(keeper, owners[index]!);
  const many = await opensWhile(keeper, owners, async () => {
    sealMs = await timed(() => keeper.sealEpoch(false));
  });
  report.row(`${name}: seal after shreds in 1 % of the buckets`, sealMs, 'ms', `${name}: seal after one shred`);
  report.row(`${name}: open, p99, during that seal`, many, 'ms', `${name}: open, p99, alone`);
  report.row(`${name}: keys under a new epoch per second`, (size / sealMs) * 1_000, '/s');
};

const rest = (ms: number) => new Promise<void>((resolve) => void setTimeout(resolve, ms));

/** The 99th percentile of opening one scope, asked one after the other for as long as `work` goes on. */
const opensWhile = async (keeper: Keeper, owners: Owners, work: () => Promise<void>): Promise<number> => {
  const samples: number[] = [];
  let done = false;
  const under = work().finally(() => (done = true));
  while (!done) {
    const { scopeIds } = owners[Math.floor(Math.random() * owners.length)]!;
    samples.push(await timed(() => keeper.lookUp([scopeIds[1]!])));
    await nextTick();
  }
  await under;
  return quantile(samples, 0.99);
};
