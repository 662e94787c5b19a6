import { randomBytes, randomUUID } from 'node:crypto';
import { EventStoreDBClient, jsonEvent } from '@eventstore/db-client';
import { event, EventRegistry, personal, plain, subject } from '#events';
import type { ActorId, SubjectId } from '#kernel';
import { inContext, newId, RandomIds } from '#kernel';
import type { Bench, Report } from './bench.js';
import { rateOf } from './bench.js';
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
    await rateOf(2_000, 32, () => clear(1)); // warm
    await compare(report, (count) => clear(count), 'bare client');
    await compare(report, (count, index) => livingKey(known[index % PEOPLE]!, count), 'living keys', 'bare client');
    await compare(report, (count) => sealed(newId<SubjectId>(), count, newId), 'a new key each', 'bare client');
    await ledger.close();
    await bare.dispose();
    await vault.end();
    await store.end();
  },
};

const compare = async (
  report: Report,
  append: (count: number, index: number) => Promise<unknown>,
  name: string,
  base?: string,
): Promise<void> => {
  const row = (what: string, value: number) => report.row(`${name}: ${what}`, value, '/s', base && `${base}: ${what}`);
  for (const [inFlight, operations] of Object.entries(OPERATIONS))
    row(`${inFlight} in flight`, await rateOf(operations, Number(inFlight), (index) => append(1, index)));
  row('events in batches of 100', 100 * (await rateOf(BATCHES, 8, (index) => append(100, index))));
};
