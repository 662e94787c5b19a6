import { CustomerRegistered } from '#customers';
import type { ActorId, CustomerId, IdSource } from '#kernel';
import { MakulerError, RandomIds, currentContext, inContext, newId, subjectOwner } from '#kernel';
import { Lookup } from '#lookup';
import type { Pool } from '#postgres';
import { createPool, migrate } from '#postgres';
import { LedgerDouble, SetClock, testDatabase } from '#testing';
import { ImportRows } from './import-rows.js';
import type { SentRow, StoreRow } from './import-rows.js';
import { IMPORT_MIGRATIONS, ImportState } from './import-state.js';

/** More batches than the pool has connections. */
const MANY = 30;
const DAY_MS = 86_400_000;

describe('rows of an import', () => {
  let database: Awaited<ReturnType<typeof testDatabase>>;
  let pool: Pool;
  const clock = new SetClock(new Date('2026-03-12T12:00:00Z'));
  const guard = { assertConfirmed: async () => undefined };
  let ledger: LedgerDouble;
  let lookup: Lookup;
  let rows: ImportRows;

  beforeEach(async () => {
    database = await testDatabase();
    pool = createPool(database.url, { name: 'imports' });
    await migrate(pool, 'imports', IMPORT_MIGRATIONS);
    ledger = new LedgerDouble(clock);
    lookup = new Lookup({ ledger, vault: ledger.vault });
    lookup.start();
    rows = new ImportRows(ledger, lookup, new ImportState(pool, clock, guard));
  });
  afterEach(async () => {
    await lookup.close();
    await pool.end();
    await database.drop();
  });

  const row = (key: string, line = 2): SentRow => ({ line, key, record: { name: 'Marknes' } });
  const register: StoreRow = async ({ key }) => {
    const id = currentContext().ids.next<CustomerId>();
    const card = { name: 'Marknes', phone: null, email: null, companyId: null, address: null };
    const draft = CustomerRegistered.of(
      {
        ...{ customerId: id, relationship: 'customer', sector: 'private', region: null, ...card },
        sourceKey: { source: 'shop', key },
      },
      { owners: { own: subjectOwner(id) }, partitions: { contact: newId() } },
    );
    await ledger.append({ stream: `customer-${id}`, expected: 'no-stream', drafts: [draft] });
    return { id, findable: true };
  };
  const sent = (
    some: readonly SentRow[],
    store: StoreRow = register,
    ids: IdSource = new RandomIds(),
    dryRun = false,
  ) =>
    inContext({ actor: newId<ActorId>(), roles: ['integrator'], purpose: 'avtale', ids, dryRun }, () =>
      rows.run('customers', 'shop', some, store),
    );
  const outcomes = async (...parameters: Parameters<typeof sent>) =>
    (await sent(...parameters)).map(({ outcome }) => outcome);
  const remembered = async () => (await pool.query('select mark, seed from import_row')).rows;
  const refuse: StoreRow = () => {
    throw new MakulerError('invalid-input', { errors: [{ path: 'email', code: 'email', message: 'give an address' }] });
  };

  it('are created once, and present ever after; nothing of them stays behind the log', async () => {
    expect(await outcomes([row('1'), row('2')])).toEqual(['created', 'created']);
    expect(await outcomes([row('2'), row('3')])).toEqual(['present', 'created']);
    expect(await remembered()).toEqual([]);
  });

  it('that come twice in a batch are stored once, and refused as often as they come', async () => {
    expect(await outcomes([row('1', 2), row('1', 3)])).toEqual(['created', 'present']);
    expect(await sent([row('9', 4), row('9', 5)], refuse)).toEqual(
      [4, 5].map((line) => expect.objectContaining({ line, outcome: 'rejected' })),
    );
  });

  it('draw the same ids again when the batch broke off, so that what was half written is gone on with', async () => {
    const drawn: string[] = [];
    const away: StoreRow = () => {
      drawn.push(currentContext().ids.next());
      throw new MakulerError('vault-unavailable');
    };
    await expect(sent([row('1')], away)).rejects.toMatchObject({ code: 'vault-unavailable' });
    await expect(sent([row('1')], away)).rejects.toMatchObject({ code: 'vault-unavailable' });
    expect(drawn[1]).toBe(drawn[0]);
    expect(await sent([row('1')])).toMatchObject([{ outcome: 'created', id: drawn[0] }]);
  });

  it('that were stored before the batch broke off are found, not stored again', async () => {
    const breaking: StoreRow = async (sentRow, customerId) => {
      if (sentRow.key === '2') throw new MakulerError('store-unavailable');
      return register(sentRow, customerId);
    };
    await expect(sent([row('1'), row('2')], breaking)).rejects.toMatchObject({ code: 'store-unavailable' });
    expect(await outcomes([row('1'), row('2')])).toEqual(['present', 'created']);
  });

  it('have no row under way any more when the batch has ended with an error', async () => {
    const release = Promise.withResolvers<void>();
    let underWay = 0;
    const slow: StoreRow = async (sentRow, customerId) => {
      if (sentRow.key === '1') throw new MakulerError('vault-unavailable');
      underWay++;
      await release.promise;
      underWay--;
      return register(sentRow, customerId);
    };
    let ended = false;
    const batch = sent(
      Array.from({ length: 20 }, (_, n) => row(String(n + 1))),
      slow,
    ).finally(() => (ended = true));
    const failure = expect(batch).rejects.toMatchObject({ code: 'vault-unavailable' });
    while (underWay === 0) await pool.query('select 1');
    // Time enough for a batch that doesn't wait to give its lock back.
    for (let n = 0; n < 20; n++) await pool.query('select 1');
    expect(ended).toBe(false);
    release.resolve();
    await failure;
    expect(underWay).toBe(0);
  });

  it('of which nothing could be kept are remembered by a mark alone, and are present', async () => {
    const unfindable: StoreRow = async () => ({ id: newId(), findable: false, notStored: ['purchase', 'billing'] });
    expect(await sent([row('1')], unfindable)).toMatchObject([
      { outcome: 'created', notStored: ['purchase', 'billing'] },
    ]);
    expect(await remembered()).toEqual([{ mark: expect.any(Buffer), seed: null }]);
    expect(await outcomes([row('1')], unfindable)).toEqual(['present']);
  });

  it('of a person who was forgotten are a new collection: nothing remembers that they were there', async () => {
    const [first] = await sent([row('1')]);
    ledger.shred(subjectOwner(first!.id as CustomerId));
    expect(await remembered()).toEqual([]);
    const [second] = await sent([row('1')]);
    expect(second).toMatchObject({ outcome: 'created' });
    expect(second!.id).not.toBe(first!.id);
  });

  it('are judged in a dry run, and nothing is reserved for them', async () => {
    const judge: StoreRow = async () => ({ id: currentContext().ids.next(), findable: true });
    expect(await outcomes([row('1'), row('2')], judge, new RandomIds(), true)).toEqual(['created', 'created']);
    expect(await remembered()).toEqual([]);
  });

  it('of more batches at once than there are connections all come through', async () => {
    const batches = await Promise.all(Array.from({ length: MANY }, () => outcomes([row('1'), row('2')])));
    expect(batches.flat().filter((outcome) => outcome === 'created')).toHaveLength(2);
  });

  it('that nobody finished are forgotten after thirty days, the marks of the unfindable are not', async () => {
    const away: StoreRow = () => Promise.reject(new MakulerError('vault-unavailable'));
    await expect(sent([row('1')], away)).rejects.toThrow();
    await sent([row('2')], async () => ({ id: newId(), findable: false }));
    const later = new SetClock(new Date(clock.now().getTime() + 31 * DAY_MS));
    const doubting = { assertConfirmed: () => Promise.reject(new MakulerError('clock-implausible')) };
    await expect(new ImportState(pool, later, doubting).forgetOld()).rejects.toMatchObject({
      code: 'clock-implausible',
    });
    expect(await remembered()).toHaveLength(2);
    await new ImportState(pool, later, guard).forgetOld();
    expect(await remembered()).toEqual([{ mark: expect.any(Buffer), seed: null }]);
  });
});
