import { EventRegistry } from '#events';
import type { EventId } from '#kernel';
import { newId } from '#kernel';
import type { EventToStore } from '#ledger';
import { EventStoreLedger } from '#ledger';
import type { Pool } from '#postgres';
import { createPool } from '#postgres';
import { SigningKeys } from '#signing';
import { EventStoreDouble, SetClock, testDatabase, VaultDouble, WitnessDouble } from '#testing';
import { LogCheckpointed } from './chain.events.js';
import type { Checkpoint } from './checkpoint.js';
import { VAULT_LEDGER } from './checkpoint.js';
import { Checkpoints } from './checkpoints.js';
import { verifyLog } from './verify-log.js';

const NEVER = new AbortController().signal;
const raw = (type: string, data: EventToStore['data'] = {}): EventToStore => ({
  id: newId<EventId>(),
  type,
  data,
  metadata: { recordedAt: '2026-06-01T12:00:00.000Z' },
});

describe('checkpoints of the log', () => {
  let database: { url: string; drop(): Promise<void> };
  let control: Pool;
  let keys: SigningKeys;
  let store: EventStoreDouble;
  let witness: WitnessDouble;
  let checkpoints: Checkpoints;

  const clock = new SetClock(new Date('2026-06-01T12:00:00Z'));
  const worker = (over: { keys?: SigningKeys; witness?: WitnessDouble } = {}) => {
    const registry = new EventRegistry([LogCheckpointed]);
    const ledger = new EventStoreLedger({
      store,
      vault: new VaultDouble(),
      registry,
      clock,
      policyVersion: () => 'test',
    });
    return new Checkpoints(store, ledger, over.witness ?? witness, over.keys ?? keys, clock);
  };
  const happened = (count: number, type = 'thing.happened') =>
    store.append(
      'thing-1',
      'any',
      Array.from({ length: count }, (_, n) => raw(type, { n })),
    );
  const written = async () =>
    (await store.read(VAULT_LEDGER))
      .filter(({ type }) => type === LogCheckpointed.type)
      .map(({ data }) => data as unknown as Checkpoint);
  const verified = async (witnessed = witness.checkpoint ?? null) =>
    verifyLog({ store, keys: await keys.published(), witnessed });

  beforeAll(async () => {
    database = await testDatabase();
    control = createPool(database.url, { name: 'spec' });
    keys = new SigningKeys(control);
  });
  afterAll(async () => {
    await control.end();
    await database.drop();
  });
  beforeEach(() => {
    store = new EventStoreDouble();
    witness = new WitnessDouble();
    checkpoints = worker();
  });

  it('makes none of an empty log', async () => {
    expect(await checkpoints.now()).toBeUndefined();
    expect(await written()).toEqual([]);
  });

  it('covers everything, one after the other, and hands each to the custodian', async () => {
    await happened(3);
    witness.mintSequence = 7;
    expect(await checkpoints.hourly(NEVER)).toMatchObject({ sequence: 3, position: '3', mintSequence: 7 });
    await happened(2);
    const second = await checkpoints.hourly(NEVER);
    // The first checkpoint is itself an event that the second covers.
    expect(second?.sequence).toBe(6);
    expect((await written()).map(({ sequence }) => sequence)).toEqual([3, 6]);
    expect(witness.checkpoint).toMatchObject({ sequence: '6', hash: second!.link, signature: second!.signature });
    expect(await verified()).toEqual({
      events: 7,
      checkpoints: 2,
      covered: 6,
      accepted: [],
      custodian: 'fits',
      misfits: [],
    });
  });

  it('adds nothing to a log that has grown by nothing else', async () => {
    await happened(3);
    const first = await checkpoints.hourly(NEVER);
    expect(await checkpoints.hourly(NEVER)).toMatchObject({ sequence: first!.sequence });
    await store.append(VAULT_LEDGER, 'any', [raw('clock.trusted', { at: '2026-06-01T13:00:00.000Z' })]);
    await checkpoints.hourly(NEVER);
    expect(await written()).toHaveLength(1);
    // A backup wants all of it.
    expect(await checkpoints.now()).toMatchObject({ sequence: 5 });
    await checkpoints.now();
    expect(await written()).toHaveLength(2);
  });

  it('is missed when its stream hides it', async () => {
    for (let n = 0; n < 2; n++) {
      await happened(1);
      await checkpoints.now();
    }
    const { tail } = store;
    store.tail = async (...about) => (await tail.apply(store, about)).slice(0, 1);
    expect((await verified()).misfits).toEqual([{ kind: 'hidden', inStream: 1, inLog: 2 }]);
  });

  it('takes a long way in stretches, each of which stands when the next is cut off', async () => {
    await happened(25_000);
    await checkpoints.now();
    expect((await written()).map(({ sequence }) => sequence)).toEqual([10_000, 20_000, 25_002]);
    expect((await verified()).misfits).toEqual([]);
    await expect(worker().hourly(AbortSignal.abort())).rejects.toThrow();
  });

  it('covers an import soon, whole stretches of it only', async () => {
    await happened(1);
    await checkpoints.now();
    await happened(9_000);
    expect(await checkpoints.wholeStretches(NEVER)).toMatchObject({ sequence: 1 });
    await happened(2_500);
    await checkpoints.wholeStretches(NEVER);
    expect((await written()).map(({ sequence }) => sequence)).toEqual([1, 10_001]);
  });

  it('is made once by workers that do it at once', async () => {
    for (let round = 0; round < 5; round++) {
      await happened(3);
      await Promise.all(Array.from({ length: 4 }, () => worker().hourly(NEVER)));
    }
    const sequences = (await written()).map(({ sequence }) => sequence);
    expect(sequences).toEqual([...new Set(sequences)].sort((a, b) => a - b));
    expect(sequences.length).toBeLessThanOrEqual(5);
    expect((await verified()).misfits).toEqual([]);
  });

  it('says of the vault what is true after the checkpoint before it, also when another worker came between', async () => {
    await happened(1);
    let overtaken = false;
    const slow = Object.assign(new WitnessDouble(), { witness: (given: never) => witness.witness(given) });
    slow.standing = async () => {
      const before = await witness.standing();
      if (!overtaken) {
        overtaken = true;
        await checkpoints.now();
        witness.mintSequence = 9;
        await happened(1);
      }
      return before;
    };
    await worker({ witness: slow }).now();
    expect((await written()).map(({ mintSequence }) => mintSequence)).toEqual([0, 9]);
  });

  it('hands to the custodian first what a crash kept from it', async () => {
    await happened(3);
    const dying = new WitnessDouble();
    dying.standing = () => witness.standing();
    dying.witness = () => Promise.reject(new Error('killed'));
    await expect(worker({ witness: dying }).now()).rejects.toThrow('killed');
    expect([await written(), witness.checkpoint]).toEqual([[expect.anything()], undefined]);
    await checkpoints.hourly(NEVER);
    expect([(await written()).length, witness.checkpoint?.sequence]).toEqual([1, '3']);
  });

  describe('writes nothing', () => {
    const refused = async (code: string, by = checkpoints) => {
      const before = (await written()).length;
      await expect(by.now()).rejects.toMatchObject({ code });
      expect(await written()).toHaveLength(before);
    };
    /** The same log with something done to its events, in a server of its own. */
    const tamper = async (change: (events: EventToStore[]) => EventToStore[]) => {
      const events = await store.forwards({ maxCount: 1_000 });
      store = new EventStoreDouble();
      const streams = new Map(events.map(({ id, stream }) => [id, stream]));
      for (const event of change(events.map(({ id, type, data, metadata }) => ({ id, type, data, metadata }))))
        await store.append(streams.get(event.id) ?? 'thing-1', 'any', [event]);
      checkpoints = worker();
    };
    beforeEach(async () => {
      await happened(3);
      await checkpoints.now();
      await happened(1);
    });

    it('behind a closed gate', async () => {
      witness.serving = false;
      await refused('vault-unavailable');
    });

    it('after a checkpoint that another key has signed', async () => {
      const other = await testDatabase();
      const pool = createPool(other.url, { name: 'spec' });
      const elsewhere = new WitnessDouble();
      elsewhere.standing = async () => ({ ...(await witness.standing()), checkpoint: undefined });
      await expect(worker({ keys: new SigningKeys(pool), witness: elsewhere }).now()).rejects.toMatchObject({
        code: 'log-altered',
      });
      await pool.end();
      await other.drop();
      await tamper((events) =>
        events.map((event) =>
          event.type === LogCheckpointed.type ? { ...event, data: { ...event.data, link: '00'.repeat(32) } } : event,
        ),
      );
      await refused('log-altered');
    });

    it('after an event that is not what it was', async () => {
      await tamper((events) => events.map((event, n) => (n === 2 ? { ...event, data: { n: 99 } } : event)));
      await refused('log-altered');
    });

    it('on a log that is shorter than the custodian has seen', async () => {
      const whole = witness.checkpoint;
      await checkpoints.now();
      expect(witness.checkpoint).not.toEqual(whole);
      await tamper((events) => events.slice(0, -1));
      await refused('checkpoint-stale');
      await tamper((events) => events.slice(0, 2));
      await refused('checkpoint-stale');
    });
  });
});
