import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Backups, Inventory, restoreSet, verifySet } from '#backup';
import type { EventId } from '#kernel';
import { newId, SystemClock } from '#kernel';
import type { EventToStore } from '#ledger';
import { EventStoreDb } from '#ledger';
import { createPool } from '#postgres';
import { testDatabase, VaultArchiveDouble } from '#testing';
import { Tokens } from '#tokens';
import type { EpochsReport } from '#vault/operations';
import type { Bench } from './bench.js';
import { rateOf, timed } from './bench.js';
import { startEventNodeProgram } from './stores.js';

const EVENTS = 100_000;
const BATCH = 100;
const SEALED = 'x'.repeat(240);
const event = (n: number): EventToStore => ({
  id: newId<EventId>(),
  type: 'bench.noted',
  data: { n, $sealed: { [randomUUID()]: SEALED } },
  metadata: { recordedAt: new Date().toISOString(), actor: randomUUID() },
});
const NOTHING_SEALED: EpochsReport = {
  ...{
    current: 1,
    openedAt: '',
    nextSealAt: '',
    sealDueAt: '',
    sealing: false,
    sealNeeded: false,
    retiring: [],
    lost: [],
  },
};

/** A backup against a bare read of the same log, and a restore against bare appends to the same kind of node. */
export const backup: Bench = {
  name: 'backup',
  about: 'backup and restore of 100,000 events, against bare reads and appends',
  async run(report) {
    const directory = await mkdtemp(join(tmpdir(), 'makuler-bench-'));
    const [from, to] = [await startEventNodeProgram(), await startEventNodeProgram()];
    const store = new EventStoreDb(from.url);
    const target = new EventStoreDb(to.url);
    const databases = [await testDatabase(), await testDatabase()];
    const [control, freshControl] = databases.map(({ url }) => createPool(url, { name: 'bench' })) as [
      ReturnType<typeof createPool>,
      ReturnType<typeof createPool>,
    ];
    const clock = new SystemClock();
    await new Tokens(control, clock).migrate();
    const installation = randomUUID();
    // Of the vault there is next to nothing: what is measured is the log.
    const header = { incarnation: randomUUID(), mintSequence: '1', epoch: 1, schema: ['001'], tables: ['kept'] };
    const vault = new VaultArchiveDouble(installation, { header, rows: [] });
    vault.places = [];
    try {
      const batch = (first: number) => Array.from({ length: BATCH }, (_, n) => event(first + n));
      const appended = await rateOf(EVENTS / BATCH, 8, (n) =>
        store.append(`customer-${randomUUID()}`, 'no-stream', batch(n * BATCH), 30_000),
      );
      report.row('bare appends, in batches of 100', appended * BATCH, '/s');
      const readMs = await timed(async () => {
        let after: bigint | undefined;
        for (;;) {
          const page = await store.forwards({ maxCount: 1_000, ...(after === undefined ? {} : { after }) });
          if (page.length === 0) return;
          after = page.at(-1)!.position;
        }
      });
      report.row('bare read, forwards', (EVENTS / readMs) * 1_000, '/s');
      const inventory = new Inventory(control, { epochs: async () => NOTHING_SEALED }, clock);
      const backups = new Backups({ store, vault, control, clock, inventory });
      let set = '';
      const backupMs = await timed(async () => {
        set = (await backups.take({ directory: join(directory, 'sets') })).directory;
      });
      report.row('backup, read back', (EVENTS / backupMs) * 1_000, '/s', 'bare read, forwards');
      const empty = new VaultArchiveDouble(installation);
      const restoreMs = await timed(async () => {
        const manifest = await verifySet(set);
        const targets = { store: target, vault: empty, vaultState: empty.state, control: freshControl };
        await restoreSet(targets, { directory: set, manifest, incarnation: randomUUID() });
      });
      report.row('restore', (EVENTS / restoreMs) * 1_000, '/s', 'bare appends, in batches of 100');
    } finally {
      await Promise.all([store.close(), target.close(), control.end(), freshControl.end()]);
      await Promise.all([from.end(), to.end(), ...databases.map((database) => database.drop())]);
      await rm(directory, { recursive: true, force: true });
    }
  },
};
