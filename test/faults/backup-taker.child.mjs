import { Backups, Inventory } from '#backup';
import { SystemClock } from '#kernel';
import { createPool } from '#postgres';

// A process that takes one backup after the other until it is killed, and says when the first begins. Runs on the built code.
const { controlUrl, directory, installation } = JSON.parse(process.argv[2]);
const EVENTS = 4_000;
const events = Array.from({ length: EVENTS }, (_, n) => ({
  ...{ stream: `customer-${n}`, revision: 0n, position: BigInt(n + 1), id: String(n), type: 'it.happened' },
  ...{ data: { n, block: 'x'.repeat(200) }, metadata: {} },
}));
const store = {
  head: async () => BigInt(EVENTS),
  async *subscribe() {
    for (let first = 0; first < EVENTS; first += 500)
      yield { events: events.slice(first, first + 500), position: BigInt(first + 500), live: false };
  },
};
const vault = {
  mirrors: async () => [],
  async *backup() {
    yield { header: { installation, incarnation: installation, mintSequence: '1', epoch: 1, schema: [], tables: [] } };
    for (let n = 0; n < 50; n++) yield { rows: { table: 'scope', rows: Array(20).fill(`{"n":${n}}`) } };
    yield { end: { rows: 1_000 } };
  },
};
const control = createPool(controlUrl, { name: 'backup taker', max: 4 });
const clock = new SystemClock();
const epochs = async () => ({ current: 1, sealing: false, retiring: [] });
const backups = new Backups({ store, vault, control, clock, inventory: new Inventory(control, { epochs }, clock) });
process.send('begun');
for (;;) await backups.take({ directory }).catch((error) => error.code === 'backup-in-progress' || process.exit(7));
