import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { testDatabase } from '#testing';
import { CuttableWire } from './cuttable-wire.js';
import { EventLog } from '../../../apps/event-node/src/store/event-log.js';
import type { Append, Outcome, StoredEvent } from '../../../apps/event-node/src/store/event.js';
import { AnotherWriterError } from '../../../apps/event-node/src/store/session.js';

const anAppend = (stream: string, data = '{}', inMs = 60_000): Append => ({
  stream,
  expected: 'any',
  events: [{ id: randomUUID(), type: 't', json: true, data: Buffer.from(data), metadata: Buffer.alloc(0) }],
  deadline: performance.now() + inMs,
});

describe('the writer', () => {
  let database: Awaited<ReturnType<typeof testDatabase>>;
  let wire: CuttableWire;
  let log: EventLog;
  const open = (url: string, writeTimeoutMs = 500) =>
    EventLog.open({ databaseUrl: url, writeTimeoutMs, readSilenceMs: 1_000, report: () => {} });
  beforeEach(async () => {
    database = await testDatabase();
    wire = await CuttableWire.to(database.url);
    log = await open(wire.url);
  });
  afterEach(async () => {
    wire.set('open');
    await log.close();
    wire.close();
    await database.drop();
  });

  /** What really stands in the database, past the node. */
  const stored = async (): Promise<{ position: number; id: string }[]> => {
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    const { rows } = await client.query<{ position: string; event_id: string }>(
      'select position, event_id from event order by position',
    );
    await client.end();
    return rows.map((row) => ({ position: Number(row.position), id: row.event_id }));
  };
  const back = async (): Promise<void> => {
    while ((await log.append(anAppend('back'))).kind !== 'committed') await delay(10);
  };

  it('writes appends that wait together in one transaction', async () => {
    const outcomes = await Promise.all(Array.from({ length: 100 }, (_, n) => log.append(anAppend(`s-${n}`))));
    expect(outcomes.map((outcome) => outcome.kind === 'committed' && outcome.position)).toEqual(
      outcomes.map((_, n) => n + 2),
    );
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    const { rows } = await client.query('select count(distinct xmin::text)::int as transactions from event');
    await client.end();
    // The first event of the log, and all the others.
    expect(rows[0]).toEqual({ transactions: 2 });
  });

  it('does not write an append whose deadline has passed while it waited', async () => {
    const late = log.append({ ...anAppend('late'), deadline: performance.now() - 1 });
    expect(await late).toEqual({ kind: 'too-late' });
    expect(await stored()).toHaveLength(1);
  });

  it('assumes that streams and events are new, and finds out when they are not', async () => {
    const first: Append = { ...anAppend('old'), events: [anAppend('').events[0]!, anAppend('').events[0]!] };
    const written = await log.append(first);
    const again = { ...first, deadline: performance.now() + 60_000 };
    const [one, other] = first.events;
    const forget = async () => {
      await log.close();
      log = await open(wire.url);
    };
    // Each time it has just been started and remembers nothing of the stream; a new stream comes in the same transaction.
    const cases: [Append, Partial<Outcome>][] = [
      [again, written],
      [{ ...again, expected: 'no_stream' }, written],
      [
        { ...anAppend('old'), expected: 'no_stream' },
        { kind: 'wrong-revision', current: 1 },
      ],
      [
        { ...anAppend('old'), events: [] },
        { kind: 'committed', revision: 1 },
      ],
      [
        { ...anAppend('old'), events: [one!, anAppend('').events[0]!] },
        { kind: 'wrong-revision', current: 1 },
      ],
      [{ ...anAppend('old'), events: [other!] }, written],
      [anAppend('old'), { kind: 'committed', revision: 2 }],
      [
        { ...anAppend('old'), expected: 'stream_exists' },
        { kind: 'committed', revision: 3 },
      ],
    ];
    for (const [append, outcome] of cases) {
      await forget();
      const beside = log.append(anAppend(`new-${randomUUID()}`));
      expect(await log.append(append)).toMatchObject(outcome);
      expect(await beside).toMatchObject({ kind: 'committed', revision: 0 });
    }
    // Now the stream is remembered, and the events are not.
    expect(await log.append(again)).toEqual(written);
    expect(await log.append({ ...anAppend('old'), events: [one!, anAppend('').events[0]!] })).toMatchObject({
      kind: 'wrong-revision',
    });
    const positions = (await stored()).map(({ position }) => position);
    expect(positions).toEqual(positions.map((_, n) => n + 1));
  });

  it('knows a repeat of which one part is on disk and the other comes with it', async () => {
    const [old, fresh] = [anAppend('s').events[0]!, anAppend('s').events[0]!];
    const first = await log.append({ ...anAppend('s'), events: [old] });
    const both = [
      log.append({ ...anAppend('s'), events: [fresh] }),
      log.append({ ...anAppend('s'), events: [fresh, old] }),
    ];
    expect(await Promise.all(both)).toEqual([{ kind: 'committed', revision: 1, position: 3 }, first]);
  });

  it('refuses a second node on the same database, and lets it in when the first is gone', async () => {
    await expect(open(database.url)).rejects.toBeInstanceOf(AnotherWriterError);
    await log.close();
    log = await open(database.url);
    expect(await log.append(anAppend('s'))).toMatchObject({ kind: 'committed' });
  });

  it('does not fail the appends that come with one that PostgreSQL refuses', async () => {
    const first = log.append(anAppend('s'));
    const bad: Append = { ...anAppend('s'), events: [{ ...anAppend('s').events[0]!, type: 'a\0b' }] };
    const all = [first, log.append(anAppend('s')), log.append(bad), log.append(anAppend('s'))];
    expect((await Promise.all(all)).map(({ kind }) => kind)).toEqual([
      'committed',
      'committed',
      'unavailable',
      'committed',
    ]);
  });

  it('acknowledges exactly what is there when the connection is cut under load, and tells followers of all of it', async () => {
    const signal = new AbortController();
    const followed: StoredEvent[] = [];
    const following = (async () => {
      let at = 0;
      while (!signal.signal.aborted) {
        const recent =
          log.tail.after(at, 1_000) ??
          (await log.allPage('forwards', at + 1, 1_000).then(
            ({ events }) => events,
            () => [],
          ));
        followed.push(...recent);
        at = recent.at(-1)?.position ?? at;
        if (recent.length === 0) await log.tail.advanced(at, signal.signal);
      }
    })();
    const acknowledged = new Map<string, number>();
    const attempted = new Set<string>();
    for (let round = 0; round < 5; round++) {
      const appends = Array.from({ length: 64 }, async () => {
        for (let n = 0; n < 10; n++) {
          const append = anAppend('cut');
          attempted.add(append.events[0]!.id);
          const outcome: Outcome = await log.append(append);
          if (outcome.kind === 'committed') acknowledged.set(append.events[0]!.id, outcome.position);
        }
      });
      for (let cuts = 0; cuts < 3; cuts++) {
        await log.append(anAppend('pulse'));
        wire.set('cut');
        wire.set('open');
      }
      await Promise.all(appends);
      await back();
    }
    const rows = await stored();
    expect(acknowledged.size).toBeGreaterThan(0);
    for (const [id, position] of acknowledged) expect(rows[position - 1]).toEqual({ position, id });
    expect(rows.map(({ position }) => position)).toEqual(rows.map((_, n) => n + 1));
    expect(new Set(rows.map(({ id }) => id)).size).toBe(rows.length);
    while (followed.length < rows.length) await delay(10);
    signal.abort();
    await following;
    expect(followed.map(({ id }) => id)).toEqual(rows.map(({ id }) => id));
  });

  it('counts what was committed while its receipt was lost, and shows it to followers', async () => {
    await log.append(anAppend('before'));
    wire.set('deaf');
    // Its stream is known and its expectation exact: the insert is the first thing that the database hears of it.
    const lost = log.append({ ...anAppend('before'), expected: 0 });
    while ((await stored()).length < 3) await delay(10);
    wire.set('cut');
    expect(await lost).toEqual({ kind: 'unavailable' });
    wire.set('open');
    await back();
    expect((await stored()).map(({ position }) => position)).toEqual([1, 2, 3, 4]);
    expect(log.tail.after(2, 9)).toBeUndefined();
    expect((await log.allPage('forwards', 3, 9)).events.map(({ stream }) => stream)).toEqual(['before', 'back']);
  });

  it('answers a repeat after a cut with what became of the first attempt', async () => {
    for (let round = 0; round < 10; round++) {
      const append: Append = { ...anAppend(`once-${round}`), expected: 'no_stream' };
      const first = log.append(append);
      await new Promise(setImmediate);
      wire.set('cut');
      wire.set('open');
      await first;
      let outcome: Outcome;
      do {
        await delay(10);
        outcome = await log.append({ ...append, deadline: performance.now() + 60_000 });
      } while (outcome.kind === 'unavailable');
      expect(outcome).toMatchObject({ kind: 'committed', revision: 0 });
      expect((await stored()).filter(({ id }) => id === append.events[0]!.id)).toHaveLength(1);
    }
  });

  it('gives up on a database that hangs, never says committed, and comes back by itself', async () => {
    await log.append(anAppend('before'));
    wire.set('hanging');
    const outcomes = await Promise.all([1, 2, 3].map(() => log.append(anAppend('hanging'))));
    expect(outcomes.map(({ kind }) => kind)).toEqual(['unavailable', 'unavailable', 'unavailable']);
    wire.set('cut');
    wire.set('open');
    await back();
    const rows = await stored();
    expect(rows.map(({ position }) => position)).toEqual(rows.map((_, n) => n + 1));
  });

  it('gives up on a database that takes the connection and says nothing more', async () => {
    wire.set('cut');
    wire.set('mute');
    // The first loses the old connection, at the latest the second opens a new one.
    for (const stream of ['a', 'b', 'c']) expect((await log.append(anAppend(stream))).kind).toBe('unavailable');
    wire.set('cut');
    wire.set('open');
    await back();
  }, 20_000);

  it('gives up on a database that hangs while it is read, and reads again when it is back', async () => {
    expect((await log.allPage('forwards', 1, 9)).events).toHaveLength(1);
    wire.set('hanging');
    await expect(log.allPage('forwards', 1, 9)).rejects.toMatchObject({ code: 'database-unavailable' });
    wire.set('cut');
    wire.set('open');
    expect((await log.allPage('forwards', 1, 9)).events).toHaveLength(1);
  }, 20_000);

  it('stops writing when another took the fence while it was cut off', async () => {
    wire.set('cut');
    const other = await open(database.url);
    wire.set('open');
    expect((await log.append(anAppend('s'))).kind).toBe('unavailable');
    expect(await other.append(anAppend('s'))).toMatchObject({ kind: 'committed', position: 2 });
    await other.close();
    await back();
    expect((await stored()).map(({ position }) => position)).toEqual([1, 2, 3]);
  });
});
