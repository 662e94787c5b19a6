import { randomUUID } from 'node:crypto';
import { generateKeyPairSync } from 'node:crypto';
import type { LogVerification } from '#chain';
import { Checkpoints, LogCheckpointed, verifyLog } from '#chain';
import { event, EventRegistry, personal, plain, subject, SubjectErased } from '#events';
import type { ActorId, CustomerId, EventId } from '#kernel';
import { inContext, newId, subjectOwner, SystemClock, systemContext } from '#kernel';
import type { EventStore } from '#ledger';
import { EventStoreLedger } from '#ledger';
import type { Pool } from '#postgres';
import { createPool } from '#postgres';
import { SigningKeys } from '#signing';
import { testDatabase, WitnessDouble } from '#testing';
import type { CheckpointWitness } from '#vault/operations';
import { GrpcCheckpointWitness } from '#vault/operations';
import type { LogServer } from './log-server.js';
import { startLogServer } from './log-server.js';
import type { VaultHouse } from './vault-house.js';
import { startVaultHouse } from './vault-house.js';

const Registered = event('person.registered', 1, {
  customerId: subject<CustomerId>(),
  colour: plain<string>('a colour that many people have'),
  name: personal<string>('relation'),
});
const registry = new EventRegistry([Registered, SubjectErased, LogCheckpointed]);
const clock = new SystemClock();
const asSomebody = <T>(work: () => Promise<T>) => inContext(systemContext(newId<ActorId>(), 'avtale'), work);

/** So many events are covered by each checkpoint of the log under attack; a checkpoint follows, which the next one covers. */
const STRETCH = 6;
const CHECKPOINTS = 3;
/** The checkpoints themselves are events 7, 14 and 21: the stretches are 1 to 6, 7 to 13 and 14 to 20. */
const LENGTH = CHECKPOINTS * (STRETCH + 1);

describe('P10: whoever changes the log is found out, and erasures change nothing about that', () => {
  let house: VaultHouse;
  let log: LogServer;
  let database: { url: string; drop(): Promise<void> };
  let control: Pool;
  let keys: SigningKeys;
  let custodian: GrpcCheckpointWitness;
  const people: CustomerId[] = [];

  const ledgerOn = (store: EventStore) =>
    new EventStoreLedger({ store, vault: house.api, registry, clock, policyVersion: () => 'test' });
  const checkpointsOn = (store: EventStore, witness: CheckpointWitness = custodian, by = keys) =>
    new Checkpoints(store, ledgerOn(store), witness, by, clock);
  const register = async () => {
    const customerId = newId<CustomerId>();
    people.push(customerId);
    const drafts = [Registered.of({ customerId, colour: 'red', name: 'Kari' })];
    await asSomebody(() =>
      ledgerOn(log.store).append({ stream: `customer-${customerId}`, expected: 'no-stream', drafts }),
    );
  };
  const verify = async (store: EventStore = log.store): Promise<LogVerification> =>
    verifyLog({ store, keys: await keys.published(), witnessed: (await custodian.standing()).checkpoint ?? null });
  /** What is found after the tables were changed; they are put back. */
  const found = async (...statements: readonly string[]) => {
    await log.tamper(...statements);
    return verify().finally(() => log.undo());
  };

  beforeAll(async () => {
    log = await startLogServer();
    house = await startVaultHouse({ log: log.store });
    database = await testDatabase();
    control = createPool(database.url, { name: 'spec' });
    keys = new SigningKeys(control);
    custodian = new GrpcCheckpointWitness({
      address: `127.0.0.1:${house.options.port}`,
      ...house.certificateOf('worker'),
    });
    await house.api.ready(10_000);
    for (let round = 0; round < CHECKPOINTS; round++) {
      for (let n = 0; n < STRETCH; n++) await register();
      await checkpointsOn(log.store).now();
    }
    await log.keep();
  });
  afterAll(async () => {
    custodian.close();
    await house.end();
    await log.end();
    await control.end();
    await database.drop();
  });

  it('finds nothing where nothing was done', async () => {
    const fits = { checkpoints: CHECKPOINTS, covered: LENGTH - 1, accepted: [], custodian: 'fits', misfits: [] };
    expect(await verify()).toEqual({ events: LENGTH, ...fits });
    // The server's own words about an event are its own.
    expect(await found('update event set created = created + 1')).toMatchObject(fits);
  });

  const metadata = (name: string, value: string) =>
    `metadata = convert_to(jsonb_set(convert_from(metadata, 'UTF8')::jsonb, '{${name}}', '"${value}"')::text, 'UTF8')`;
  const data = (path: string, value: string) =>
    `data = convert_to(jsonb_set(convert_from(data, 'UTF8')::jsonb, '{${path}}', '"${value}"')::text, 'UTF8')`;
  /** Where the nth event stands: the node's own first event comes before them. */
  const place = (n: number) => n + 1;
  const at = (n: number, change: string) => `update event set ${change} where position = ${place(n)}`;
  const remove = (from: number, to = from) =>
    `delete from event where position between ${place(from)} and ${place(to)}`;
  /** Moves everything from the nth on by some places, so that no gap tells of it. */
  const shift = (n: number, by: number) => [
    `update event set position = -position - ${by} where position >= ${place(n)}`,
    'update event set position = -position where position < 0',
  ];
  const swap = (a: number, b: number) => [
    at(a, 'position = 0'),
    at(b, `position = ${place(a)}`),
    `update event set position = ${place(b)} where position = 0`,
  ];
  const copy = (from: number, to: number, stream: string) =>
    `insert into event select ${place(to)}, ${stream}, 900 + revision, '${randomUUID()}', type, json, created, data, metadata
     from event where position = ${place(from)}`;

  const ATTACKS: [string, from: number, to: number, statements: readonly string[]][] = [
    ['a plain value was changed', 7, 13, [at(9, data('colour', 'blue'))]],
    ['a sealed block was changed', 1, 6, [at(3, data('$sealed', 'AA'))]],
    ['a time was changed', 7, 13, [at(12, metadata('recordedAt', '2020-01-01T00:00:00.000000Z'))]],
    ['another is said to have done it', 14, 20, [at(16, metadata('actor', randomUUID()))]],
    ['an event has another type', 1, 6, [at(1, `type = 'person.forgotten'`)]],
    ['an event has another id', 7, 13, [at(13, `event_id = '${randomUUID()}'`)]],
    ['an event stands in another stream', 14, 20, [at(20, `stream = 'customer-${randomUUID()}'`)]],
    ['an event was removed', 1, 6, [remove(2)]],
    ['an event was removed and the gap closed', 7, 13, [remove(10), ...shift(11, -1)]],
    ['an event was inserted', 7, 13, [...shift(9, 1), copy(1, 9, `'customer-${randomUUID()}'`)]],
    ['two neighbours changed places', 14, 20, swap(17, 18)],
    ['two events far apart changed places', 1, 6, swap(4, 19)],
    ['a checkpoint was removed', 1, 13, [remove(7), ...shift(8, -1)]],
    ['a checkpoint was removed with all that it covers', 1, 13, [remove(1, 7), ...shift(8, -7)]],
  ];
  it.each(ATTACKS)('finds the stretch in which %s', async (_, from, to, statements) => {
    const { misfits, covered, custodian: seen } = await found(...statements);
    expect(misfits.find(({ kind }) => kind === 'altered')).toMatchObject({ from, to });
    expect([covered, seen]).toEqual([from - 1, 'does-not-fit']);
  });

  it('finds that a stream was put into another order than the log', async () => {
    const { misfits } = await found(at(7, 'revision = 900'), at(14, 'revision = 0'), at(7, 'revision = 1'));
    expect(misfits).toContainEqual({ kind: 'misplaced', sequence: 7, event: expect.any(String) });
  });

  it('finds that the end was cut off', async () => {
    const cut = await found(remove(18, LENGTH));
    expect(cut.misfits).toEqual([{ kind: 'shortened', from: 18, to: 20, checkpoint: null }]);
  });

  it('finds a checkpoint that was changed, one of another key, and one that was copied to the end', async () => {
    const changed = await found(at(14, data('link', '00'.repeat(32))));
    expect(changed.misfits.map(({ kind }) => kind)).toContain('forged');

    const other = await testDatabase();
    const pool = createPool(other.url, { name: 'forger' });
    const forger = checkpointsOn(log.store, new WitnessDouble(), new SigningKeys(pool));
    // It can't go on from what is there, so it takes the log from its beginning, on a server of its own.
    await expect(forger.now()).rejects.toMatchObject({ code: 'log-altered' });
    const forged = await startLogServer();
    await move(log.store, forged.store, ({ type }) => type !== LogCheckpointed.type);
    await checkpointsOn(forged.store, new WitnessDouble(), new SigningKeys(pool)).now();
    const { misfits } = await verify(forged.store);
    expect(misfits).toContainEqual({ kind: 'forged', checkpoint: expect.any(String) });
    await forged.end();
    await pool.end();
    await other.drop();

    const copied = await found(copy(7, LENGTH + 1, `'vault-ledger'`));
    expect(copied.misfits[0]).toEqual({ kind: 'forged', checkpoint: expect.any(String) });
  });

  it('is silent about nobody’s keys: with other keys published every checkpoint is forged', async () => {
    const { publicKey } = generateKeyPairSync('ed25519');
    const kid = (await keys.signing()).kid;
    const strange = { keys: [{ ...publicKey.export({ format: 'jwk' }), kid, alg: 'EdDSA' }] };
    const { misfits } = await verifyLog({ store: log.store, keys: strange, witnessed: null });
    expect(misfits.map(({ kind }) => kind)).toEqual(Array(CHECKPOINTS).fill('forged'));
  });

  it('finds by the custodian a log that was cut off, or changed, and signed anew with the stolen key', async () => {
    const { checkpoint: _, ...standing } = await custodian.standing();
    const rogue = Object.assign(new WitnessDouble(), {
      standing: async () => ({ ...standing, checkpoint: undefined }),
    });
    for (const [attack, expected] of [
      [[remove(14, LENGTH)], { kind: 'shortened', to: 20, checkpoint: null }],
      [
        [`delete from event where type = 'log.checkpointed'`, at(9, data('colour', 'blue'))],
        { kind: 'altered', to: 20, checkpoint: null },
      ],
    ] as const) {
      await log.tamper(...attack);
      log = await log.restart();
      await checkpointsOn(log.store, rogue).now();
      const alone = await verifyLog({ store: log.store, keys: await keys.published(), witnessed: undefined });
      expect([alone.misfits, alone.custodian]).toEqual([[], 'not-asked']);
      // The events that the thief adds stand where the custodian has seen others.
      for (let n = 0; expected.kind === 'altered' && n < 4; n++) await register();
      const { misfits } = await verify();
      expect(misfits).toContainEqual(expect.objectContaining(expected));
      await expect(checkpointsOn(log.store).now()).rejects.toMatchObject({ code: 'checkpoint-stale' });
      await log.undo();
      log = await log.restart();
    }
    expect((await verify()).misfits).toEqual([]);
  });

  it('passes after an erasure', async () => {
    const owner = subjectOwner(people[1]!);
    const orderId = randomUUID();
    await house.shredder.fence({ orderId, owner, kind: 'erasure', except: [] });
    const scopeIds = (await house.shredder.scopesOf(owner)).map(({ scopeId }) => scopeId);
    expect(scopeIds).toHaveLength(1);
    await house.shredder.shred({ orderId, owner, scopeIds, kind: 'erasure' });
    const erased = { ownerId: owner.id, ownerKind: 'subject', categories: { relation: 1 }, retained: [] } as const;
    const stream = `customer-${owner.id}`;
    await asSomebody(() => ledgerOn(log.store).append({ stream, expected: 'any', drafts: [SubjectErased.of(erased)] }));
    const [gone] = await ledgerOn(log.store).read(stream);
    expect(gone!.data).toMatchObject({ name: { state: 'erased' } });
    await checkpointsOn(log.store).now();
    expect(await verify()).toMatchObject({ checkpoints: CHECKPOINTS + 1, custodian: 'fits', misfits: [] });
  });

  it('passes on another server, where the chain goes on', async () => {
    const elsewhere = await startLogServer();
    // An event of the server's own: every position is another.
    await elsewhere.store.append('own', 'any', [{ id: newId<EventId>(), type: '$own', data: {}, metadata: {} }], 5_000);
    await move(log.store, elsewhere.store);
    const before = await verify(elsewhere.store);
    expect(before).toMatchObject({ custodian: 'fits', misfits: [] });
    await elsewhere.store.append(
      'customer-of-elsewhere',
      'no-stream',
      [{ id: newId<EventId>(), type: Registered.type, data: {}, metadata: {} }],
      5_000,
    );
    const next = await checkpointsOn(elsewhere.store).now();
    expect(next!.sequence).toBe(before.events + 1);
    expect(await verify(elsewhere.store)).toMatchObject({ covered: next!.sequence, custodian: 'fits', misfits: [] });
    await elsewhere.end();
  });
});

/** Takes a log to another server: the same events with the same ids, in the same order. */
const move = async (from: EventStore, to: EventStore, wanted: (event: { type: string }) => boolean = () => true) => {
  for (const { stream, id, type, data, metadata } of await from.forwards({ maxCount: 1_000 }))
    if (wanted({ type })) await to.append(stream, 'any', [{ id, type, data, metadata }], 5_000);
};
