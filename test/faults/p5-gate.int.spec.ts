import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { customerCard } from '#customers';
import { createPool } from '#postgres';
import { RunningProjections, testDatabase } from '#testing';
import { GateWorld } from './gate-world.js';

/** P3, P5: whatever mixture of copies is brought back, the vault serves the truth or refuses and says why; never a third thing. */
describe('the gate before vault, custodian and log', () => {
  let world: GateWorld;
  beforeEach(async () => {
    world = await GateWorld.start();
  });
  afterEach(() => world.end());

  const refusedFor = (code: string) => expect.objectContaining({ code });

  it('refuses an older vault beside a newer log; no read model takes it for an erasure, and none skips anything', async () => {
    const early = await world.register();
    const dump = await world.vaultNow();
    const late = await world.register();
    await world.stop();
    const current = await world.vaultNow();
    await world.putVaultBack(dump);
    expect((await world.start()).gate).toMatchObject({
      ...{ state: 'stale', acceptable: true, demands: { mintSequence: 2, epoch: 1 } },
      why: expect.stringMatching(/2 keys made, and this vault knows the first 1/),
    });
    expect(await world.house.status()).toMatchObject({
      gate: 'stale',
      wayOut: expect.stringMatching(/at least 2 keys/),
    });
    expect(await world.recovery.gate()).toMatchObject({ serving: false, state: 'stale' });
    await expect(world.ledger.read(`customer-${early}`)).rejects.toEqual(refusedFor('vault-unavailable'));
    const readModels = await testDatabase();
    const pool = createPool(readModels.url, { name: 'spec' });
    const running = await RunningProjections.start(pool, world.ledger, [customerCard]);
    const behind = running.states.waitFor(customerCard, await world.ledger.head(), 300);
    await expect(behind).rejects.toEqual(refusedFor('projection-behind'));
    const positions = async () =>
      (await pool.query<{ position: string }>('select position from projections.build')).rows.map(
        (row) => row.position,
      );
    expect(await positions()).toEqual(['0']);
    await world.stop();
    await world.putVaultBack(current);
    expect((await world.start()).gate).toEqual({ state: 'consistent' });
    await running.caughtUp();
    const { rows } = await pool.query<{ customer_id: string }>('select customer_id from customer_card.customer_card');
    expect(rows.map((row) => row.customer_id).sort()).toEqual([early, late].sort());
    for (const one of [early, late]) expect(await world.read(one)).toBe('Kari');
    await running.stop();
    await pool.end();
    await readModels.drop();
  });

  it('refuses a log that ends before what the custodian has seen, and names how many events are missing', async () => {
    const kept = await world.register();
    await world.checkpoint();
    const events = await world.logNow();
    const lost = await world.register();
    await world.checkpoint();
    await world.stop();
    await world.putLogBack(events);
    expect((await world.start()).gate).toMatchObject({
      ...{ state: 'behind', acceptable: true, missing: { from: 3, to: 3 } },
    });
    const found = await world.recovery.losses();
    expect(found).toMatchObject({ scopes: {}, missingEvents: { from: 3, to: 3 } });
    await expect(world.recovery.acceptLosses('another')).rejects.toEqual(refusedFor('plan-changed'));
    await world.recovery.acceptLosses(found.hash);
    expect(await world.recovery.acceptLosses(found.hash)).toEqual(found);
    expect(await world.recovery.gate()).toMatchObject({ serving: true, state: 'consistent' });
    expect(await world.read(kept)).toBe('Kari');
    expect(await world.ledger.read(`customer-${lost}`)).toEqual([]);
    await world.checkpoint();
    await world.stop();
    expect((await world.start()).gate).toEqual({ state: 'consistent' });
    await expect(world.recovery.losses()).rejects.toEqual(refusedFor('nothing-lost'));
  });

  it('lets two persons accept a restored log that has outgrown what the custodian saw, and says what it may be', async () => {
    const kept = await world.register();
    await world.checkpoint();
    const events = await world.logNow();
    await world.register();
    await world.checkpoint();
    await world.stop();
    await world.putLogBack(events);
    await world.start();
    const shorter = await world.recovery.losses();
    expect(shorter).toMatchObject({ missingEvents: { from: 3, to: 3 }, doubt: undefined });
    await world.grow(2);
    // What was agreed to of a shorter log is not what this one may be.
    await expect(world.recovery.acceptLosses(shorter.hash)).rejects.toEqual(refusedFor('plan-changed'));
    await world.stop();
    expect((await world.start()).gate).toMatchObject({
      ...{ state: 'behind', acceptable: true, doubt: 'possible-tampering', missing: { from: 2, to: 3 } },
      why: expect.stringMatching(/witnessed up to event 3.*tampering/),
    });
    await expect(world.checkpoint()).rejects.toEqual(refusedFor('vault-unavailable'));
    expect(await world.verifyLog()).toMatchObject({ custodian: 'does-not-fit', misfits: [{ kind: 'altered' }] });
    const found = await world.recovery.losses();
    expect(found).toMatchObject({ scopes: {}, missingEvents: { from: 2, to: 3 }, doubt: 'possible-tampering' });
    await world.accept(found);
    expect(await world.read(kept)).toBe('Kari');
    await world.checkpoint();
    expect(await world.verifyLog()).toMatchObject({ misfits: [], custodian: 'fits', accepted: [{ from: 2, to: 3 }] });
    await world.stop();
    expect((await world.start()).gate).toEqual({ state: 'consistent' });
  });

  it('goes on from before a checkpoint that was changed, once that is accepted, and not before', async () => {
    const kept = await world.register();
    await world.checkpoint();
    await world.register();
    await world.checkpoint();
    const events = await world.logNow();
    await world.stop();
    const changed = events.map((event, at) =>
      at === 3 ? { ...event, data: { ...event.data, link: 'f'.repeat(64) } } : event,
    );
    await world.putLogBack(changed);
    expect((await world.start()).gate).toMatchObject({ doubt: 'possible-tampering', missing: { from: 2, to: 3 } });
    const found = await world.recovery.losses();
    // Whoever writes into the log that two persons have accepted it has not made it so.
    await world.claimAccepted(found);
    expect((await world.verifyLog()).misfits).not.toEqual([]);
    await world.accept(found);
    expect(await world.read(kept)).toBe('Kari');
    await world.checkpoint();
    expect(await world.verifyLog()).toMatchObject({ misfits: [], custodian: 'fits' });
    await world.stop();
    expect((await world.start()).gate).toEqual({ state: 'consistent' });
  });

  it('has no way out for a database or a log of another installation', async () => {
    await world.register();
    await world.checkpoint();
    const other = await GateWorld.start();
    await other.register();
    await other.checkpoint();
    const [dump, events] = [await other.vaultNow(), await other.logNow()];
    await other.end();
    await world.stop();
    const own = await world.vaultNow();
    await world.putVaultBack(dump);
    await expect(world.start()).rejects.toMatchObject({ reason: 'foreign' });
    await world.putVaultBack(own);
    await world.putLogBack(events);
    await expect(world.start()).rejects.toMatchObject({ reason: 'foreign' });
  });

  it('refuses a custodian that is older than the vault, or than the log; beside an older vault nobody may accept that', async () => {
    const [erased, kept] = [await world.register(), await world.register()];
    await world.checkpoint();
    const dump = await world.vaultNow();
    await world.custodianTo('early');
    await world.erase(erased);
    await world.checkpoint();
    await world.checkpoint();
    await world.checkpoint();
    await world.stop();
    await world.custodianTo('late');
    await world.custodianFrom('early');
    expect((await world.start()).gate).toMatchObject({ state: 'behind', doubt: 'older-custodian' });
    await world.stop();
    await world.putVaultBack(dump);
    expect((await world.start()).gate).toMatchObject({
      ...{ state: 'behind', acceptable: true },
      why: expect.stringMatching(/log has seen state/),
    });
    // The log names somebody as forgotten whom this vault still has: the counts of keys alone do not tell.
    await expect(world.recovery.losses()).rejects.toEqual(refusedFor('nothing-lost'));
    await world.stop();
    await world.custodianFrom('late');
    expect((await world.start()).gate).toMatchObject({ state: 'reconciled' });
    expect(await world.read(erased)).toBe('erased');
    expect(await world.read(kept)).toBe('Kari');
  });

  it('with an older custodian and no newer one, puts the vault’s tombstones into the journal, and destroys old roots again', async () => {
    const [erased, kept] = [await world.register(), await world.register()];
    await world.checkpoint();
    await world.seal();
    await world.custodianTo('early');
    const sealed = await world.vaultNow();
    expect(await world.destroyRoots()).toMatchObject({ destroyed: [1], outstanding: [] });
    await world.erase(erased);
    await world.checkpoint();
    await world.stop();
    await world.custodianFrom('early');
    expect((await world.start()).gate).toMatchObject({ state: 'behind', acceptable: true, doubt: 'older-custodian' });
    const found = await world.recovery.losses();
    expect(found).toMatchObject({ scopes: {}, missingEvents: undefined, doubt: 'older-custodian' });
    await world.recovery.acceptLosses(found.hash);
    expect(await Promise.all([erased, kept].map((one) => world.read(one)))).toEqual(['erased', 'Kari']);
    await expect(world.rectify(erased)).rejects.toEqual(refusedFor('subject-closed'));
    // The root of epoch 1 came back with the older copy.
    expect(await world.destroyRoots()).toMatchObject({ destroyed: [1], outstanding: [] });
    expect(await world.destroyRoots()).toMatchObject({ destroyed: [] });
    expect((await world.recordReapplied(kept)).length).toBe(1);
    expect((await world.logNow()).filter(({ type }) => type === 'vault.reconciled')).toMatchObject([
      { data: { count: 1 } },
    ]);
    await world.checkpoint();
    await world.stop();
    expect((await world.start()).gate).toEqual({ state: 'consistent' });
    // From here on the journal knows of the erasure: a copy of the vault from before it brings nobody back.
    await world.stop();
    await world.putVaultBack(sealed);
    await world.start();
    await world.recovery.acceptLosses((await world.recovery.losses()).hash);
    expect(await Promise.all([erased, kept].map((one) => world.read(one)))).toEqual(['erased', 'Kari']);
  });

  it('with a custodian from before the vault’s epoch, is lost, and lives on in an epoch that was never seen', async () => {
    const [erased, lost] = [await world.register(), await world.register()];
    await world.custodianTo('early');
    await world.erase(erased);
    await world.seal();
    await world.checkpoint();
    await world.stop();
    await world.custodianFrom('early');
    expect((await world.start()).gate).toMatchObject({ state: 'lost', acceptable: true, doubt: 'older-custodian' });
    const found = await world.recovery.losses();
    expect(found.scopes).toEqual({ customer: 1 });
    await world.recovery.acceptLosses(found.hash);
    expect(await world.recovery.gate()).toMatchObject({ serving: true });
    const fresh = await world.register();
    expect(await Promise.all([erased, lost, fresh].map((one) => world.read(one)))).toEqual(['erased', 'lost', 'Kari']);
    expect((await world.house.sql('select epoch from vault'))[0]).toEqual({ epoch: 3 });
    await world.checkpoint();
    await world.stop();
    expect((await world.start()).gate).toEqual({ state: 'consistent' });
  });

  it('refuses while somebody is there whom the log names as forgotten, though vault and custodian agree', async () => {
    const erased = await world.register();
    const dump = await world.vaultNow();
    await world.custodianTo('early');
    await world.erase(erased);
    await world.stop();
    await world.putVaultBack(dump);
    await world.custodianFrom('early');
    expect((await world.start()).gate).toMatchObject({
      ...{ state: 'behind', acceptable: false },
      why: expect.stringMatching(/1 person or company as forgotten/),
    });
  });

  it('applies the journal to an older vault and says how many; the erased stay so, all others can be read', async () => {
    const people = [await world.register(), await world.register(), await world.register()];
    const dump = await world.vaultNow();
    await world.erase(people[0]!);
    await world.erase(people[1]!);
    await world.checkpoint();
    await world.stop();
    await world.putVaultBack(dump);
    const { gate } = await world.start();
    // Two keys, and two persons closed for ever.
    expect(gate).toEqual({ state: 'reconciled', applied: 4 });
    expect(await Promise.all(people.map((one) => world.read(one)))).toEqual(['erased', 'erased', 'Kari']);
    await world.stop();
    expect((await world.start()).gate).toEqual({ state: 'consistent' });
  });

  it('everything restored from before an erasure but the custodian: the person stays erased, and the log says so again', async () => {
    const [erased, partly, kept] = [await world.register(), await world.register(), await world.register()];
    await world.checkpoint();
    const [dump, events] = [await world.vaultNow(), await world.logNow()];
    await world.erase(erased);
    await world.erase(partly, { closing: false });
    await world.stop();
    await world.putVaultBack(dump);
    await world.putLogBack(events);
    expect((await world.start()).gate).toEqual({ state: 'reconciled', applied: 3 });
    expect(await Promise.all([erased, partly, kept].map((one) => world.read(one)))).toEqual([
      'erased',
      'erased',
      'Kari',
    ]);
    const told = ['customer.registered', 'subject.erased'];
    for (const one of [erased, partly, erased]) expect(await world.recordReapplied(one)).toEqual(told);
    expect((await world.logNow()).filter(({ type }) => type === 'vault.reconciled')).toMatchObject([
      { stream: 'vault-ledger', data: { count: 3 } },
    ]);
  });

  it('with every root gone, reads as lost what two persons accept, and as erased who was erased; life goes on elsewhere', async () => {
    const [erased, lost] = [await world.register(), await world.register()];
    const order = await world.erase(erased);
    await world.checkpoint();
    await world.stop();
    await world.loseCustodian();
    const custodian = ['a', 'b'].map((name) => join(world.house.directory, 'another', name));
    expect((await world.start({ custodian })).gate).toMatchObject({ state: 'lost', acceptable: true });
    await expect(readdir(join(world.house.directory, 'another'))).rejects.toMatchObject({ code: 'ENOENT' });
    const found = await world.recovery.losses();
    expect(found.scopes).toEqual({ customer: 1 });
    await world.recovery.acceptLosses(found.hash);
    expect(await world.recovery.gate()).toMatchObject({ serving: true });
    expect(await world.read(lost)).toBe('lost');
    expect(await world.read(erased)).toBe('erased');
    const fresh = await world.register();
    await world.checkpoint();
    await world.stop();
    expect((await world.start({ custodian })).gate).toEqual({ state: 'consistent' });
    expect(await Promise.all([lost, erased, fresh].map((one) => world.read(one)))).toEqual(['lost', 'erased', 'Kari']);
    expect((await world.house.status()).mirrors).toMatchObject([{ ok: true }, { ok: true }]);
    // Whoever finds a mirror of the lost custodian has its roots: nobody attests that they were destroyed, now or later.
    const later = await world.erase(fresh);
    expect(await world.sealAndDestroy()).toMatchObject({ destroyed: [2], outstanding: [] });
    expect(await world.epochs()).toMatchObject({ current: 3, retiring: [], lost: [1] });
    expect(await world.house.sql('select epoch from epoch where destroyed_at is not null')).toEqual([{ epoch: 2 }]);
    for (const one of [order, later]) expect(await world.clearing(one)).toMatchObject({ clearedAt: undefined });
  });

  it('with an empty vault and no backup, loses what was sealed, and still knows who was erased', async () => {
    const [erased, lost] = [await world.register(), await world.register()];
    await world.erase(erased);
    await world.stop();
    await world.emptyVault();
    expect((await world.start()).gate).toMatchObject({ state: 'database-empty', demands: { mintSequence: 2 } });
    const found = await world.recovery.losses();
    expect(found.scopes).toEqual({ customer: 1 });
    await world.recovery.acceptLosses(found.hash);
    const fresh = await world.register();
    expect(await Promise.all([lost, erased, fresh].map((one) => world.read(one)))).toEqual(['lost', 'erased', 'Kari']);
    await expect(world.rectify(erased)).rejects.toEqual(refusedFor('subject-closed'));
    await world.stop();
    expect((await world.start()).gate).toEqual({ state: 'consistent' });
  });

  it('with a vault under destroyed roots and no newer one, loses what it had and reopens nobody', async () => {
    const [erased, lost] = [await world.register(), await world.register()];
    const dump = await world.vaultNow();
    await world.erase(erased);
    expect(await world.sealAndDestroy()).toMatchObject({ destroyed: [1], outstanding: [] });
    await world.stop();
    await world.putVaultBack(dump);
    expect((await world.start()).gate).toMatchObject({ state: 'stale', demands: { epoch: 2 } });
    const found = await world.recovery.losses();
    // With the roots the journal has let go of the erased: what an old copy still names of them is as gone as all the rest.
    expect(found.scopes).toEqual({ customer: 2 });
    await world.recovery.acceptLosses(found.hash);
    expect(await world.recovery.gate()).toMatchObject({ serving: true });
    expect(await Promise.all([lost, erased].map((one) => world.read(one)))).toEqual(['lost', 'lost']);
    await expect(world.rectify(erased)).rejects.toEqual(refusedFor('subject-closed'));
    await world.stop();
    expect((await world.start()).gate).toEqual({ state: 'consistent' });
  });

  it('with an older vault and no newer one, loses the newer keys by name and keeps the others', async () => {
    const early = await world.register();
    const dump = await world.vaultNow();
    const [late, erased] = [await world.register(), await world.register()];
    await world.erase(erased);
    await world.stop();
    await world.putVaultBack(dump);
    await world.start();
    // Whoever was erased is no loss, though the older vault has never heard of them.
    const found = await world.recovery.losses();
    expect(found).toMatchObject({ scopes: { customer: 1 }, missingEvents: undefined });
    await world.recovery.acceptLosses(found.hash);
    const read = await Promise.all([early, late, erased].map((one) => world.read(one)));
    expect(read).toEqual(['Kari', 'lost', 'erased']);
    await world.stop();
    expect((await world.start()).gate).toEqual({ state: 'consistent' });
  });

  it('waits behind its closed gate for a log that is away, and opens when it is there', async () => {
    const known = await world.register();
    await world.stop();
    const log = world.logAway();
    const { gate } = await world.start({ log, logPatienceMs: 0 });
    expect(gate).toMatchObject({ state: 'closed', why: expect.stringMatching(/log/) });
    expect(await world.recovery.gate()).toMatchObject({ serving: false, state: 'closed' });
    await expect(world.ledger.read(`customer-${known}`)).rejects.toEqual(refusedFor('vault-unavailable'));
    log.away = false;
    expect(await world.read(known)).toBe('Kari');
  });
});
