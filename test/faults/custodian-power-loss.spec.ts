import { randomBytes, randomUUID } from 'node:crypto';
import type { Custodian } from '#vault/keeper';
import { PowerLoss, PowerLossDisk } from './power-loss-disk.js';

let disk: PowerLossDisk;
const actual = await import('node:fs/promises');
const onDisk = Object.fromEntries(
  Object.keys(new PowerLossDisk('/volume').api).map((name) => [
    name,
    (...given: unknown[]) => (disk.api as unknown as Record<string, (...all: unknown[]) => unknown>)[name]!(...given),
  ]),
);
// Not in the types yet.
const { unstable_mockModule: mockModule } = import.meta.jest as unknown as {
  unstable_mockModule(name: string, make: () => object): void;
};
mockModule('node:fs/promises', () => ({ ...actual, ...onDisk }));
const { FileCustodian } = await import('#vault/keeper');

const PLACE = '/volume/custodian/a';
const INSTALLATION = randomUUID();
type State = Parameters<Custodian['writeState']>[0];

const stateOf = (number: number, epochs: readonly number[]): State => ({
  ...{ format: 2, installation: INSTALLATION, phase: 'founded', number, ancestors: [], mirrors: ['a'], epochs },
  ...{ pending: [], shredded: [], closed: [], retiring: [], checkpoint: null, retiredMirrors: [] },
});

/** What was acknowledged before the power went, and what was under way. */
interface Witness {
  id: string | undefined;
  /** The last state that was acknowledged, and after it the one that was being written. */
  states: [State | undefined, State | undefined];
  /** Roots that were acknowledged and that nobody asked to destroy, with a key that they wrap. */
  readonly roots: Map<number, { key: Uint8Array; wrapped: Uint8Array; root: Uint8Array }>;
  /** Bytes of the roots of which the destruction was acknowledged, by epoch. */
  readonly destroyed: Map<number, Uint8Array>;
}

/** A custodian's life: founded, epochs come and go, and every step is relied upon only when it was acknowledged. */
const live = async (witness: Witness): Promise<void> => {
  const custodian = new FileCustodian(PLACE);
  const write = async (number: number, epochs: readonly number[]) => {
    witness.states = [witness.states[0], stateOf(number, epochs)];
    await custodian.writeState(witness.states[1]!);
    witness.states = [witness.states[1], undefined];
  };
  const create = async (epoch: number) => {
    await custodian.createRoot(epoch);
    const key = randomBytes(32);
    const wrapped = await custodian.wrapEpochKey({ installation: INSTALLATION, epoch }, key);
    const file = (await disk.api.readFile(`${PLACE}/root-${epoch}.key`)) as Buffer;
    witness.roots.set(epoch, { key, wrapped, root: Uint8Array.from(file.subarray(-32)) });
  };
  const destroy = async (epoch: number) => {
    const { root } = witness.roots.get(epoch)!;
    witness.roots.delete(epoch);
    await custodian.destroyRoot(epoch);
    witness.destroyed.set(epoch, root);
  };
  witness.id = await custodian.enrol();
  await create(1);
  await write(1, [1]);
  await create(2);
  await write(2, [1, 2]);
  await destroy(1);
  await write(3, [2]);
  await create(3);
  await write(4, [2, 3]);
  await destroy(2);
  await write(5, [3]);
};

const cutAfter = async (cutAt: number): Promise<{ witness: Witness; over: boolean }> => {
  const witness: Witness = { id: undefined, states: [undefined, undefined], roots: new Map(), destroyed: new Map() };
  disk = new PowerLossDisk('/volume', cutAt);
  const error = await live(witness).then(
    () => undefined,
    (failed: Error) => failed,
  );
  if (error !== undefined && !(error instanceof PowerLoss)) throw error;
  return { witness, over: error === undefined };
};

const expectLegal = async ({ id, states, roots, destroyed }: Witness): Promise<void> => {
  const custodian = new FileCustodian(PLACE);
  expect(states.filter((state, index) => state !== undefined || index === 0)).toContainEqual(
    await custodian.readState(),
  );
  // Nor an older one under no name: while an order was pending it had one person's scopes side by side.
  for (let older = 1; older < (states[0]?.number ?? 0); older++)
    expect([older, disk.holds(Buffer.from(`"number":${older},`))]).toEqual([older, false]);
  if (id !== undefined) expect(await custodian.id()).toBe(id);
  for (const [epoch, { key, wrapped }] of roots)
    expect(await custodian.unwrapEpochKey({ installation: INSTALLATION, epoch }, wrapped)).toEqual(
      Uint8Array.from(key),
    );
  const present = await custodian.epochs();
  for (const [epoch, root] of destroyed) expect([present.includes(epoch), disk.holds(root)]).toEqual([false, false]);
};

/** What is done next succeeds, whatever the power loss left. */
const expectUsable = async ({ roots }: Witness): Promise<void> => {
  const custodian = new FileCustodian(PLACE);
  await custodian.takeOver();
  await custodian.enrol();
  for (const epoch of await custodian.epochs()) if (!roots.has(epoch)) await custodian.destroyRoot(epoch);
  expect(await custodian.epochs()).toEqual([...roots.keys()]);
  await custodian.createRoot(9);
  await custodian.writeState(stateOf(9, [9]));
  expect(await new FileCustodian(PLACE).readState()).toEqual(stateOf(9, [9]));
  expect((await disk.api.readdir(PLACE)).filter((name) => name.startsWith('.'))).toEqual([]);
};

/** P2, P3: the files custodian under power loss. Everything that was not synced may be lost, in any part. */
describe('the files of a custodian when the power goes', () => {
  // A generator of ours, so that a failure can be run again: mulberry32.
  const dice = (seed: number) => () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % 2 === 0;
  };
  const keeping: readonly [string, (cut: number) => () => boolean][] = [
    ['nothing of it', () => () => false],
    ['all of it', () => () => true],
    ...Array.from({ length: 12 }, (_, n): [string, (cut: number) => () => boolean] => [
      `a part of it (${n})`,
      (cut) => dice(cut * 101 + n),
    ]),
  ];

  it.each(keeping)(
    'keep what was acknowledged, and nothing that was destroyed, with %s kept of what was not synced',
    async (_, keeps) => {
      let cuts = 0;
      for (let cutAt = 0; ; cutAt++) {
        const { witness, over } = await cutAfter(cutAt);
        disk.restart(keeps(cutAt));
        await expectLegal(witness);
        await expectUsable(witness);
        cuts++;
        if (over) break;
      }
      expect(cuts).toBeGreaterThan(50);
    },
  );

  it('are written to a disk that forgets what is not synced', async () => {
    disk = new PowerLossDisk('/volume');
    const handle = await disk.api.open('/volume/file', 'wx');
    await handle.writeFile('old');
    await handle.sync();
    disk.restart(() => false);
    await expect(disk.api.readFile('/volume/file')).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
