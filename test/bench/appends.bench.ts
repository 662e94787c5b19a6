import { randomBytes, randomUUID } from 'node:crypto';
import { EventStoreDBClient, jsonEvent } from '@eventstore/db-client';
import { event, EventRegistry, personal, plain, subject } from '#events';
import type { ActorId, SubjectId } from '#kernel';
import { inContext, newId, RandomIds } from '#kernel';
import type { Bench, Report } from './bench.js';
import { rateOf, timed } from './bench.js';
import { ledgerOver } from './ledger-over.js';
import { startEventNodeProgram, startVaultProgram } from './stores.js';

const Noted = event('bench.noted', 1, {
  subjectId: subject<SubjectId>(),
  kind: plain<string>('a benchmark'),
  text: personal<string>('contact'),
});
const TEXT = 'x'.repeat(100);
const OPERATIONS = { 1: 1_500, 8: 5_000, 32: 10_000, 64: 12_000 } as const;
const BATCHES = 600;
const TURNS = 5;
const WARM_UP = 2_000;
const PEOPLE = 256;

/** What sealing costs: appends through the ledger beside the bare client on the same server, the events equally large. */
export const appends: Bench = {
  name: 'appends',
  about: 'appends through the ledger, under living keys and with a new key each, against the bare client',
  async run(report) {
    const store = await startEventNodeProgram();
    const vault = await startVaultProgram(store.url);
    const bare = EventStoreDBClient.connectionString(store.url);
    const ledger = ledgerOver(store, vault.client, new EventRegistry([Noted]));
    const known = Array.from({ length: PEOPLE }, () => newId<SubjectId>());
    const sealed = (id: SubjectId, count: number, partition: () => string) => {
      const draft = () =>
        Noted.of({ subjectId: id, kind: 'note', text: TEXT }, { partitions: { contact: partition() } });
      return inContext({ actor: newId<ActorId>(), roles: ['system'], purpose: 'bench', ids: new RandomIds() }, () =>
        ledger.append({ stream: `customer-${id}`, expected: 'any', drafts: Array.from({ length: count }, draft) }),
      );
    };
    for (const id of known) await sealed(id, 1, () => id);
    const livingKey = (id: SubjectId, count: number) => sealed(id, count, () => id);
    const sample = (await ledger.read(`customer-${known[0]!}`))[0]!;
    const size = JSON.stringify({ kind: 'note', $sealed: sample.envelope.sealed }).length;
    const clear = (count: number) =>
      bare.appendToStream(
        `bench-${randomUUID()}`,
        Array.from({ length: count }, () =>
          jsonEvent({
            type: 'bench.noted',
            data: { filler: randomBytes(Math.floor(size / 2)).toString('hex') },
            metadata: { ...sample.metadata },
          }),
        ),
      );
    const ways = {
      'bare client': (count: number) => clear(count),
      'living keys': (count: number, index: number) => livingKey(known[index % PEOPLE]!, count),
      'a new key each': (count: number) => sealed(newId<SubjectId>(), count, newId),
    };
    for (const append of Object.values(ways)) await rateOf(WARM_UP, 32, (index) => append(1, index));
    for (const [inFlight, operations] of Object.entries(OPERATIONS))
      await compare(report, `${inFlight} in flight`, ways, { operations, inFlight: Number(inFlight), count: 1 });
    await compare(report, 'events in batches of 100', ways, { operations: BATCHES, inFlight: 8, count: 100 });
    await ledger.close();
    await bare.dispose();
    await vault.end();
    await store.end();
  },
};

type Append = (count: number, index: number) => Promise<unknown>;

/** By turns, a part of each at a time: the machine of the next minute is another one. The first is what the others stand against. */
const compare = async (
  report: Report,
  what: string,
  ways: Readonly<Record<string, Append>>,
  { operations, inFlight, count }: { readonly operations: number; readonly inFlight: number; readonly count: number },
): Promise<void> => {
  const ms = new Map(Object.keys(ways).map((name) => [name, 0]));
  for (let turn = 0; turn < TURNS; turn++)
    for (const [name, append] of Object.entries(ways)) {
      const work = () => rateOf(operations / TURNS, inFlight, (index) => append(count, index));
      ms.set(name, ms.get(name)! + (await timed(work)));
    }
  const [base] = ms.keys();
  for (const [name, took] of ms) {
    const against = name === base ? undefined : `${base}: ${what}`;
    report.row(`${name}: ${what}`, (operations * count * 1_000) / took, '/s', against);
  }
};
