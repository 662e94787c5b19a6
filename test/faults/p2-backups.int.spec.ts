import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EmbeddedServer } from '#postgres/embedded';
import { startEmbedded } from '#postgres/embedded';
import type { AttackedPerson } from './attacked-house.js';
import { AttackedHouse } from './attacked-house.js';
import { copyTree } from './copy-tree.js';
import { SHIPPED_VAULT } from './sabotage.js';
import type { AttackReport } from './theft.js';
import { attack, baseBackup, copyCustodian, dump } from './theft.js';

const WINDOW_MS = 3_000;

/**
 * Values that stand in streams of one person and in everybody else's: what an installation's events and rows have in common.
 * test/faults/shared-across-streams.ts says of each why it tells nobody apart.
 */
const COMMON = new Set(
  [
    'type',
    'metadata.recordedAt',
    'metadata.actor',
    'metadata.purpose',
    'metadata.policyVersion',
    'metadata.schemaVersion',
  ]
    .concat(['metadata.vault.incarnation', 'data.itemType', 'scope.state', 'scope.bucket_id', 'owner_bucket.bucket_id'])
    .concat(['bucket.bucket_id', 'owner.except_bucket']),
);

/**
 * P2, by a thief who has every kind of copy of every store and none of our programs (test/faults/attacker): archives, dumps,
 * a base backup with its write-ahead log, the whole home as files, and the custodian as it is now, or as it once was.
 */
describe('P2: whoever has copies of everything', () => {
  let directory: string;
  let server: EmbeddedServer;
  let house: AttackedHouse;
  let living: AttackedPerson[];
  let erased: AttackedPerson[];
  const orders: string[] = [];

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'makuler-attack-'));
    await chmod(directory, 0o711); // as root, PostgreSQL runs as another user, which must pass through
    const postgres = join(directory, 'home', 'postgres');
    server = await startEmbedded({ directory: postgres, logFile: join(directory, 'postgres.log') });
    house = await AttackedHouse.start({
      ...{ server, directory, vaultMain: SHIPPED_VAULT, window: `${WINDOW_MS / 1_000}s` },
    });
    living = [await house.register(), await house.register()];
    erased = [await house.register(), await house.register()];
  });
  afterAll(async () => {
    await house?.end();
    await server?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  const loot = (...names: string[]): string => join(directory, 'loot', ...names);
  const takeDumps = async (when: string) => {
    for (const [name, url] of Object.entries(house.urls)) await dump(url, loot(when, 'dumps', `${name}.sql`));
  };
  const takeArchive = (when: string) => house.backUp(loot(when, 'archive'));
  const takeFiles = (when: string) => copyTree(join(directory, 'home'), loot(when, 'home'));
  const opened = ({ opened: blocks }: AttackReport, { streams, values }: AttackedPerson) => {
    const texts = blocks.filter(({ stream }) => streams.includes(stream)).map(({ text }) => text);
    return values.filter((value) => texts.some((text) => text.includes(value))).length;
  };
  const openedOf = (report: AttackReport, people: readonly AttackedPerson[]) =>
    people.map((person) => opened(report, person));
  const guesses = () => erased.flatMap(({ owner, values }) => [owner.id, ...values]);
  /** What joins streams of a person, places that everybody shares left out. */
  const joining = ({ joins }: AttackReport, { streams }: AttackedPerson) =>
    joins.filter(
      ({ by, at, streams: joined }) =>
        streams.filter((stream) => joined.includes(stream)).length > 1 &&
        // What two copies say together, and who was ever erased, is the next claim.
        by !== 'difference' &&
        at !== 'scope.state' &&
        !(by === 'value' && at.split(' ').every((place) => COMMON.has(place))),
    );

  it('reads everything before anything was erased, from each kind of copy alone', async () => {
    await takeDumps('before');
    await takeArchive('before');
    await takeFiles('before');
    await baseBackup(server, join(directory, 'home/postgres/data'), loot('before', 'base'));
    await copyCustodian(house.mirrors, loot('before', 'custodian'));
    for (const kind of ['archive', 'dumps', 'base', 'home']) {
      const report = await attack([loot('before', kind), loot('before', 'custodian')], guesses());
      expect(report.read.unread).toEqual([]);
      expect([kind, ...openedOf(report, [...living, ...erased])]).toEqual([kind, 6, 6, 6, 6]);
      for (const person of erased) expect(joining(report, person).map(({ by }) => by)).toContain('record');
    }
  });

  it('opens nothing and joins nothing without a root', async () => {
    const report = await attack([loot('before', 'archive'), loot('before', 'dumps')], guesses());
    expect([report.read.blocks, report.opened]).toEqual([20, []]);
    for (const person of [...living, ...erased]) expect(joining(report, person)).toEqual([]);
  });

  it('opens nothing with the custodian alone', async () => {
    expect(await attack([loot('before', 'custodian')])).toMatchObject({
      read: { custodians: 2 },
      opened: [],
      joins: [],
    });
  });

  it('reads what was erased as long as a root of then is left, from copies and from what the files still hold, until the date that was said', async () => {
    for (const person of erased) orders.push(await house.erase(person));
    await takeFiles('erased');
    const present = loot('erased', 'custodian');
    await copyCustodian(house.mirrors, present);
    for (const copy of [loot('before', 'dumps'), loot('erased', 'home')])
      expect(openedOf(await attack([copy, present], guesses()), [...living, ...erased])).toEqual([6, 6, 6, 6]);
    const { destroyAt } = await house.operations.sealEpoch();
    expect(Date.now()).toBeLessThan(Date.parse(destroyAt!));
    for (const order of orders)
      expect(await house.operations.clearing(order)).toMatchObject({ plannedFor: destroyAt, clearedAt: undefined });
    expect(await house.operations.destroyRoots()).toEqual({ destroyed: [], outstanding: [] });
    await copyCustodian(house.mirrors, loot('sealed', 'custodian'));
    expect(openedOf(await attack([loot('before', 'archive'), loot('sealed', 'custodian')]), erased)).toEqual([6, 6]);
  });

  it('opens nothing of the erased when the roots are gone, joins none of their events, and confirms no guess', async () => {
    const { plannedFor } = (await house.operations.clearing(orders[0]!))!;
    await sleep(Date.parse(plannedFor) - Date.now() + 1);
    expect(await house.operations.destroyRoots()).toEqual({ destroyed: [1], outstanding: [] });
    for (const order of orders) {
      const { clearedAt } = (await house.operations.clearing(order))!;
      expect(Date.parse(clearedAt!)).toBeGreaterThanOrEqual(Date.parse(plannedFor));
    }
    await takeDumps('after');
    await takeArchive('after');
    await takeFiles('after');
    await copyCustodian(house.mirrors, loot('after', 'custodian'));
    const copies = ['archive', 'dumps', 'base', 'home'].map((kind) => loot('before', kind));
    const report = await attack([...copies, loot('erased', 'home'), loot('after')], guesses());
    expect(report.read.unread).toEqual([]);
    // Who lives is read as ever: the attack works, and what it can't open is gone.
    expect(openedOf(report, [...living, ...erased])).toEqual([6, 6, 0, 0]);
    for (const person of erased) expect(joining(report, person)).toEqual([]);
    // Events name their stream's own person in clear, as the stream's name does.
    expect(report.confirmed.filter(({ at }) => !at.startsWith('event.'))).toEqual([]);
  }, 120_000);

  it('tells by the difference of two copies who of a bucket was erased in between, and by one copy who ever was: the stated limit', async () => {
    const report = await attack([loot('before', 'dumps'), loot('after', 'dumps')]);
    const streams = erased.flatMap((person) => person.streams).sort();
    const told = report.joins.filter(({ by }) => by === 'difference' || by === 'tombstones');
    expect(told).toEqual([
      { by: 'tombstones', at: 'scope.state', streams },
      { by: 'difference', at: 'scope.bucket_id', streams },
    ]);
  });

  it('opens what was erased with a custodian that was copied before its roots were destroyed: the stated limit', async () => {
    expect(openedOf(await attack([loot('before', 'dumps'), loot('before', 'custodian')]), erased)).toEqual([6, 6]);
  });
});
