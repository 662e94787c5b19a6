import { event, plain } from '#events';
import { newId, SystemClock, systemContext } from '#kernel';
import { createPool } from '#postgres';
import { process as reacting, projection, ProjectionRunner } from '#projections';

// A runner over a log that is the same for whoever reads it, and grows as fast as it is read. Runs on the built code.
const [databaseUrl, leaseMs] = process.argv.slice(2);
const Ticked = event('test.ticked', 1, { n: plain('a number in a test') });
const idOf = (position) => `00000000-0000-4000-8000-${String(position).padStart(12, '0')}`;
const eventAt = (position) => ({
  type: 'test.ticked',
  stream: 'ticker-1',
  eventId: idOf(position),
  position,
  data: { n: Number(position) },
});
const ledger = {
  async *subscribe({ after = 0n, signal }) {
    for (let position = after; !signal.aborted; position += 3n) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      const events = [1n, 2n, 3n].map((step) => eventAt(position + step));
      yield { events, position: position + 3n, live: true };
    }
  },
  eventIdAt: async (position) => idOf(position),
};

const counted = projection('counted', {
  version: 1,
  holdsPersonalData: false,
  tables:
    'create table counted (n int primary key, by int not null, at timestamptz not null default clock_timestamp())',
}).on(Ticked, ({ data }, db) => [db.insertInto('counted').values({ n: data.n, by: process.pid })]);
// At least once, and idempotent: what it sets off is named by the event.
const pool = createPool(databaseUrl, { name: 'projector' });
const jobs = reacting('reacting').on(Ticked, ({ data }) =>
  pool.query('insert into reacted (n) values ($1) on conflict do nothing', [data.n]),
);

const stopping = new AbortController();
const say = (said) => process.stdout.write(`${JSON.stringify({ event: said })}\n`);
const runner = new ProjectionRunner({
  ...{ pool, ledger, followers: [counted, jobs], clock: new SystemClock(), leaseMs: Number(leaseMs) },
  context: () => systemContext(newId()),
  onStanding: say,
  notice: ({ event: what, ...facts }) => what === 'projection.failed' && process.stderr.write(JSON.stringify(facts)),
});
process.once('SIGTERM', () => stopping.abort());
await runner.run(stopping.signal);
await pool.end();
