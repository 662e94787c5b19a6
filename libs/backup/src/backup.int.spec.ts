import { randomUUID } from 'node:crypto';
import { appendFile, mkdir, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { EventId } from '#kernel';
import { MakulerError, newId, SystemClock } from '#kernel';
import type { StoredEvent } from '#ledger';
import type { Pool } from '#postgres';
import { createPool } from '#postgres';
import { EventStoreDouble, testDatabase, VaultArchiveDouble } from '#testing';
import { Tokens } from '#tokens';
import type { EpochsReport } from '#vault/operations';
import { Backups } from './backups.js';
import { Inventory } from './inventory.js';
import { encodeManifest } from './manifest.js';
import { restoreSet } from './restore.js';
import { restoreLog } from './restore-log.js';
import { readManifest, verifySet } from './set-directory.js';

const INSTALLATION = randomUUID();
const HEADER = {
  incarnation: randomUUID(),
  mintSequence: '9007199254740993',
  epoch: 3,
  schema: ['001'],
  tables: ['kept'],
};

describe('backup sets', () => {
  let directory: string;
  let databases: Awaited<ReturnType<typeof testDatabase>>[];
  let pools: Pool[];
  let control: Pool;
  let store: EventStoreDouble;
  let vault: VaultArchiveDouble;
  let epochs: EpochsReport;
  let backups: Backups;
  let inventory: Inventory;

  const freshControl = async () => {
    const database = await testDatabase();
    databases.push(database);
    const pool = createPool(database.url, { name: 'spec', max: 4 });
    pools.push(pool);
    return pool;
  };
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'makuler-backup-'));
    [databases, pools] = [[], []];
    control = await freshControl();
    const tokens = new Tokens(control, new SystemClock());
    await tokens.migrate();
    await tokens.create({ roles: ['operator'], label: 'drift' });
    await control.query('create table idempotency_secret (week integer primary key, secret bytea)');
    await control.query(`insert into idempotency_secret values (1, 'secret')`);
    store = new EventStoreDouble();
    for (let n = 0; n < 1_203; n++) {
      const stream = `customer-${n % 3}`;
      const event = { id: newId<EventId>(), type: 'it.happened', data: { n, $sealed: {} }, metadata: { é: 'ø' } };
      await store.append(stream, n < 3 ? 'no-stream' : BigInt(Math.floor(n / 3) - 1), [event]);
    }
    vault = new VaultArchiveDouble(INSTALLATION, {
      header: HEADER,
      rows: Array.from({ length: 1_001 }, (_, n) => ({ table: 'kept', row: `{"n":${n},"big":9007199254740993}` })),
    });
    vault.places = [join(directory, 'custodian')];
    epochs = {
      current: 3,
      openedAt: '',
      nextSealAt: '',
      sealDueAt: '',
      sealing: false,
      sealNeeded: false,
      retiring: [],
      lost: [],
    };
    inventory = new Inventory(control, { epochs: async () => epochs }, new SystemClock());
    backups = new Backups({
      ...{ store, vault, control, inventory, clock: new SystemClock() },
    });
  });
  afterEach(async () => {
    await Promise.all(pools.map((pool) => pool.end()));
    await Promise.all(databases.map((database) => database.drop()));
    await rm(directory, { recursive: true, force: true });
  });

  const sets = () => join(directory, 'sets');
  const take = () => backups.take({ directory: sets() });
  const targets = async () => {
    const empty = new VaultArchiveDouble(INSTALLATION);
    return { store: new EventStoreDouble(), vault: empty, vaultState: empty.state, control: await freshControl() };
  };
  const restored = async (set: string, into: Awaited<ReturnType<typeof targets>>, incarnation: string = randomUUID()) =>
    restoreSet(into, { directory: set, manifest: await verifySet(set), incarnation });
  const plain = ({ id, type, data, metadata }: StoredEvent) => ({ id, type, data, metadata });
  const eventsIn = async (of: EventStoreDouble) => of.forwards({ maxCount: 10_000 });

  it('are private, hold every event, key row and kept table, and say what was left out', async () => {
    const { directory: set, manifest } = await take();
    expect((await stat(set)).mode & 0o777).toBe(0o700);
    const files = await readdir(set);
    expect(files.sort()).toEqual(['control.ndjson.gz', 'log-000001.ndjson.gz', 'manifest.json', 'vault.ndjson.gz']);
    for (const file of files) expect((await stat(join(set, file))).mode & 0o777).toBe(0o600);
    expect(manifest).toMatchObject({
      log: { position: '1203', sequence: '1203' },
      vault: { mintSequence: '9007199254740993', epoch: 3 },
      control: { leftOut: [{ table: 'idempotency_secret' }] },
    });
    const kept = gunzipSync(await readFile(join(set, 'control.ndjson.gz'))).toString();
    expect([kept.includes('api_token'), kept.includes('idempotency')]).toEqual([true, false]);
    expect(await inventory.list()).toMatchObject([
      {
        setId: manifest.setId,
        events: 1203,
        epoch: 3,
        state: 'good',
        restorableUntil: 'open',
        verifiedAt: expect.any(Date),
      },
    ]);
  });

  it('hold no event whose key they may lack: the log is read before the vault', async () => {
    let asked = 0;
    const backup = vault.backup.bind(vault);
    vault.backup = () => {
      asked++;
      const event = { id: newId<EventId>(), type: 'it.happened', data: { asked }, metadata: {} };
      const written = store.append(`late-${asked}`, 'no-stream', [event]);
      return (async function* () {
        await written;
        yield* backup();
      })();
    };
    const { directory: set } = await take();
    const log = gunzipSync(await readFile(join(set, 'log-000001.ndjson.gz'))).toString();
    // Asked for its installation before anything is read, and for its rows after the log was written.
    expect([asked, log.includes('late-1'), log.includes('late-2')]).toEqual([2, true, false]);
  });

  it('come back into empty stores as they were, and a restore that was cut off goes on', async () => {
    const { directory: set, manifest } = await take();
    const into = await targets();
    const incarnation = randomUUID();
    const dies = into.store.append.bind(into.store);
    let appends = 0;
    into.store.append = async (...parameters) => {
      if (appends++ === 700) throw new Error('killed');
      return dies(...parameters);
    };
    await expect(restored(set, into, incarnation)).rejects.toThrow('killed');
    into.store.append = dies;
    // What was on its way behind the failure landed: a hole, which nothing can fill any more.
    await expect(restored(set, into, incarnation)).rejects.toMatchObject({ code: 'restore-not-empty' });

    const fresh = { ...into, store: new EventStoreDouble() };
    for (const event of (await eventsIn(store)).slice(0, 700))
      await fresh.store.append(event.stream, event.revision === 0n ? 'no-stream' : event.revision - 1n, [plain(event)]);
    expect(await restored(set, fresh, incarnation)).toEqual({ present: 700, appended: 503 });
    expect(await restored(set, fresh, incarnation)).toEqual({ present: 1203, appended: 0 });
    expect(await eventsIn(fresh.store)).toEqual(await eventsIn(store));
    expect(fresh.vault.rows).toEqual(vault.rows);
    expect(fresh.vault.header).toEqual({ ...vault.header, incarnation });
    const [before, after] = await Promise.all(
      [control, fresh.control].map((of) => of.query('select * from api_token')),
    );
    expect(after!.rows).toEqual(before!.rows);
    expect((await fresh.control.query('select set_id from backup_restored')).rows).toEqual([
      { set_id: manifest.setId },
    ]);
    await expect(restored(set, fresh)).rejects.toMatchObject({ code: 'restore-not-empty' });
  });

  it('go into nothing that holds something else, and to no other installation', async () => {
    const { directory: set } = await take();
    const refused = async (change: (into: Awaited<ReturnType<typeof targets>>) => Promise<unknown>) => {
      const into = await targets();
      const changed = { ...into, ...((await change(into)) as object) };
      const error = await restored(set, changed).catch((caught: unknown) => caught);
      return [(error as { code?: string }).code, (await eventsIn(changed.store)).length];
    };
    const event = { id: newId<EventId>(), type: 'another', data: {}, metadata: {} };
    expect(await refused(({ store: of }) => of.append('customer-0', 'no-stream', [event]))).toEqual([
      'restore-not-empty',
      1,
    ]);
    expect(await refused(async ({ control: of }) => new Tokens(of, new SystemClock()).migrate())).toEqual([
      undefined,
      1203,
    ]);
    expect(
      await refused(async ({ control: of }) => {
        await of.query('create table other (id integer primary key); insert into other values (1)');
      }),
    ).toEqual(['restore-not-empty', 0]);
    const foreign = new VaultArchiveDouble(randomUUID());
    expect(await refused(async () => ({ vault: foreign, vaultState: foreign.state }))).toEqual(['backup-foreign', 0]);
    expect(await refused(async () => ({ vault, vaultState: vault.state }))).toEqual(['restore-not-empty', 0]);
  });

  it('are not taken for restored by a store that lands appends in another order', async () => {
    store = new EventStoreDouble();
    // Each in a stream of its own: no expected revision tells that another landed first.
    for (let n = 0; n < 200; n++)
      await store.append(`customer-${n}`, 'no-stream', [
        { id: newId<EventId>(), type: 'it.happened', data: { n }, metadata: {} },
      ]);
    const slow = new EventStoreDouble();
    const append = slow.append.bind(slow);
    slow.append = async (...parameters) => {
      if (parameters[0] === 'customer-100') await new Promise((resolve) => setTimeout(resolve, 5));
      return append(...parameters);
    };
    const events = async function* () {
      yield await eventsIn(store);
    };
    await expect(restoreLog(slow, events())).rejects.toThrow('did not keep the order');
    await expect(restoreLog(new EventStoreDouble(), events())).resolves.toEqual({ present: 0, appended: 200 });
  });

  it('are refused when any part is damaged, missing or newer, before anything is written', async () => {
    const { directory: set, manifest } = await take();
    const file = (name: string) => join(set, name);
    const code = () =>
      verifySet(set).then(
        () => 'whole',
        (error: { code?: string }) => error.code,
      );
    const damage: [string, () => Promise<unknown>][] = [];
    for (const { file: name, bytes } of manifest.parts) {
      damage.push([`${name} cut off`, () => truncate(file(name), bytes - 1)]);
      damage.push([`${name} longer`, () => appendFile(file(name), '\n')]);
      damage.push([`${name} gone`, () => rm(file(name))]);
      damage.push([
        `${name} changed`,
        async () => {
          const content = await readFile(file(name));
          content[Math.floor(bytes / 2)]! ^= 1;
          await writeFile(file(name), content);
        },
      ]);
    }
    const text = await readFile(file('manifest.json'), 'utf8');
    damage.push(['no manifest', () => rm(file('manifest.json'))]);
    damage.push(['half a manifest', () => writeFile(file('manifest.json'), text.slice(0, 200))]);
    damage.push(['another epoch', () => writeFile(file('manifest.json'), text.replace('"epoch": 3', '"epoch": 4'))]);
    const found: Record<string, unknown> = {};
    for (const [what, spoil] of damage) {
      const before = new Map<string, Buffer>();
      for (const name of await readdir(set)) before.set(name, await readFile(file(name)));
      await spoil();
      found[what] = await code();
      for (const [name, content] of before) await writeFile(file(name), content);
      expect(await code()).toBe('whole');
    }
    expect(found).toEqual(Object.fromEntries(damage.map(([what]) => [what, 'backup-damaged'])));
    await writeFile(file('manifest.json'), encodeManifest({ ...manifest, version: 2 as 1 }));
    expect(await code()).toBe('backup-newer');
  });

  it('are refused when events are missing, changed or in another order, though every checksum was made anew', async () => {
    const { directory: set, manifest } = await take();
    const log = manifest.parts.find(({ kind }) => kind === 'log')!;
    const lines = gunzipSync(await readFile(join(set, log.file)))
      .toString()
      .split('\n')
      .slice(0, -1);
    const forged = async (changed: string[]) => {
      const { PartWriter } = await import('./part-files.js');
      await rm(join(set, log.file));
      const part = new PartWriter(set, log.file, 'log');
      await part.write(changed);
      const parts = manifest.parts.map((one) => (one.file === log.file ? undefined : one));
      const again = { ...manifest, parts: [await part.end(), ...parts.filter((one) => one !== undefined)] };
      await writeFile(join(set, 'manifest.json'), encodeManifest(again));
      return restored(set, await targets()).then(
        () => 'restored',
        (error: { code?: string }) => error.code,
      );
    };
    expect(await forged(lines)).toBe('restored');
    expect(await forged(lines.slice(0, -1))).toBe('backup-damaged');
    expect(await forged(lines.with(7, lines[8]!).with(8, lines[7]!))).toBe('backup-damaged');
    expect(await forged(lines.with(7, lines[7]!.replace('"n":7', '"n":8')))).toBe('backup-damaged');
  });

  it('that were cut off look like none, and are cleared away by the next backup of the same installation', async () => {
    const failing = { ...vault, backup: () => vault.backup() };
    let asked = 0;
    vault.backup = async function* () {
      const frames = VaultArchiveDouble.prototype.backup.call(vault);
      for await (const frame of frames) {
        if ('rows' in frame && asked++ > 500) throw new Error('the plug was pulled');
        yield frame;
      }
    };
    await expect(take()).rejects.toThrow('the plug was pulled');
    expect(await readdir(sets())).toEqual([]);
    vault.backup = failing.backup;
    delete (vault as Partial<VaultArchiveDouble>).backup;
    const [ours, another] = [INSTALLATION, randomUUID()].map(
      (of) => `.makuler-20260101T000000Z-aaaaaa.${of}.unfinished`,
    );
    for (const name of [ours!, another!]) await mkdir(join(sets(), name), { recursive: true });
    const { directory: set, cleared } = await take();
    expect([cleared, await readdir(sets())]).toEqual([1, [another, set.split('/').at(-1)]]);
  });

  it('lie in no mirror of the custodian, and are taken one at a time', async () => {
    for (const place of ['custodian', 'custodian/inside/deeply'])
      await expect(backups.take({ directory: join(directory, place) })).rejects.toMatchObject({
        code: 'backup-misplaced',
      });
    expect(await readdir(directory)).toEqual([]);
    const results = await Promise.allSettled([take(), take()]);
    const refused = results.find(({ status }) => status === 'rejected') as PromiseRejectedResult;
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(refused.reason).toMatchObject({ code: 'backup-in-progress' });
  });

  it('die with the roots of their epoch: marked as expired, and only these are removed', async () => {
    const [first, second] = [await take(), await take()];
    epochs = {
      ...epochs,
      current: 4,
      retiring: [{ epoch: 3, sealedAt: '', destroyAt: '2027-01-01T00:00:00.000Z', outstanding: ['a'] }],
    };
    expect((await inventory.list()).map(({ restorableUntil }) => restorableUntil)).toEqual([
      new Date('2027-01-01T00:00:00.000Z'),
      new Date('2027-01-01T00:00:00.000Z'),
    ]);
    expect(await backups.prune(sets())).toEqual([]);
    // A seal that is under way names the epoch before nowhere yet.
    epochs = { ...epochs, current: 4, sealing: true, retiring: [] };
    expect((await inventory.list()).map(({ restorableUntil }) => restorableUntil)).toEqual(['open', 'open']);
    expect(await backups.prune(sets())).toEqual([]);
    const away = new Inventory(
      control,
      { epochs: () => Promise.reject(new MakulerError('vault-unavailable')) },
      new SystemClock(),
    );
    expect((await away.list()).map(({ state, restorableUntil }) => [state, restorableUntil])).toEqual([
      ['good', 'unknown'],
      ['good', 'unknown'],
    ]);
    epochs = { ...epochs, sealing: false };
    vault.header = { ...vault.header!, epoch: 4 };
    const third = await take();
    await mkdir(join(sets(), 'something-else'));
    // Another epoch's root may outlive this one's, at a mirror that is away.
    epochs = {
      ...epochs,
      retiring: [{ epoch: 2, sealedAt: '', destroyAt: '2026-12-01T00:00:00.000Z', outstanding: ['b'] }],
    };
    expect((await inventory.list()).map(({ state }) => state)).toEqual(['good', 'expired', 'expired']);
    expect([...(await backups.prune(sets()))].sort()).toEqual([first, second].map((set) => set.manifest.setId).sort());
    expect((await inventory.list()).map(({ state }) => state)).toEqual(['good', 'removed', 'removed']);
    expect((await readdir(sets())).sort()).toEqual([third.directory.split('/').at(-1), 'something-else'].sort());
    expect((await readManifest(third.directory)).setId).toBe(third.manifest.setId);
  });
});
