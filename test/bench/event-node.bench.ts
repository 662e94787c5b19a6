import { EventStoreDBClient, jsonEvent } from '@eventstore/db-client';
import { randomUUID } from 'node:crypto';
import type { Bench, Report } from './bench.js';
import { rateOf, timed } from './bench.js';
import { startDoNothing, startEventNodeProgram } from './stores.js';

const EVENTS_READ = 100_000;
const event = () => jsonEvent({ type: 'bench', data: { filler: 'x'.repeat(240) }, metadata: { a: 1 } });

/** The event node, bare, through the vendor's client, beside a server that does nothing, in one run. */
export const eventNode: Bench = {
  name: 'event-node',
  about: 'appends and readAll of the event node, against a do-nothing gRPC server (and EVENTSTORE_URL, if given)',
  async run(report) {
    const given = process.env['EVENTSTORE_URL'];
    const servers = [
      ['do-nothing', await startDoNothing()] as const,
      ['event node', await startEventNodeProgram()] as const,
      ...(given === undefined ? [] : [['given server', { url: given, end: async () => undefined }] as const]),
    ];
    for (const [name, server] of servers) {
      const client = EventStoreDBClient.connectionString(server.url);
      await shapes(report, client, name, name === 'do-nothing' ? undefined : 'do-nothing');
      await client.dispose();
      await server.end();
    }
  },
};

const shapes = async (report: Report, client: EventStoreDBClient, name: string, base: string | undefined) => {
  const row = (what: string, value: number) => report.row(`${name}: ${what}`, value, '/s', base && `${base}: ${what}`);
  const append = (count: number) =>
    client.appendToStream(`bench-${randomUUID()}`, Array.from({ length: count }, event));
  await rateOf(2_000, 32, () => append(1)); // warm
  for (const [inFlight, operations] of [
    [1, 2_000],
    [8, 6_000],
    [32, 12_000],
    [64, 16_000],
  ] as const)
    row(`appends, ${inFlight} in flight`, await rateOf(operations, inFlight, () => append(1)));
  row('events in batches of 100, 8 in flight', 100 * (await rateOf(1_200, 8, () => append(100))));
  let seen = 0;
  const ms = await timed(async () => {
    for await (const _ of client.readAll({ maxCount: EVENTS_READ })) seen++;
  });
  row('readAll of 100,000 events', (seen / ms) * 1_000);
};
