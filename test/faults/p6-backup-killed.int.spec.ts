import { fork } from 'node:child_process';
import { randomInt, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { verifySet } from '#backup';
import { createPool } from '#postgres';
import { testDatabase } from '#testing';

const ROUNDS = 12;
/** Longer than one backup takes, so that every step of it is hit, and the gap between two. */
const WITHIN_MS = 250;

const isHidden = (name: string) => name.startsWith('.');

/** Killed at any moment, a backup leaves a whole set or none, and nothing that the next one would trip over (P6). */
describe('a backup that is killed', () => {
  let directory: string;
  let database: Awaited<ReturnType<typeof testDatabase>>;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'makuler-killed-'));
    database = await testDatabase();
  });
  afterAll(async () => {
    await database.drop();
    await rm(directory, { recursive: true });
  });

  it('leaves only whole sets, which the inventory may know, and the next one clears the rest away', async () => {
    const installation = randomUUID();
    const parameters = JSON.stringify({ controlUrl: database.url, directory, installation });
    const takes = async (until: (child: ReturnType<typeof fork>) => Promise<unknown>) => {
      const child = fork(fileURLToPath(new URL('backup-taker.child.mjs', import.meta.url)), [parameters], {
        execArgv: [],
      });
      const ended = once(child, 'exit');
      await Promise.race([once(child, 'message'), ended]);
      await until(child);
      child.kill('SIGKILL');
      expect((await ended)[1]).toBe('SIGKILL');
    };
    let unfinished = 0;
    const verified = new Set<string>();
    for (let round = 0; round < ROUNDS; round++) {
      await takes(() => sleep(randomInt(WITHIN_MS)));
      const names = await readdir(directory);
      unfinished += names.filter(isHidden).length;
      for (const name of names.filter((one) => !isHidden(one) && !verified.has(one))) {
        await verifySet(join(directory, name));
        verified.add(name);
      }
    }
    expect([unfinished > 0, verified.size > 0]).toEqual([true, true]);
    const whole = async () => (await readdir(directory)).filter((name) => !isHidden(name)).length;
    const before = await whole();
    await takes(async () => {
      while ((await whole()) < before + 2) await sleep(20);
    });
    // One may be under way when the last process is killed; none of all those before it is left.
    expect((await readdir(directory)).filter(isHidden).length).toBeLessThan(2);
    const control = createPool(database.url, { name: 'spec', max: 1 });
    const { rows } = await control.query<{ directory: string }>('select directory from backup_set');
    await control.end();
    const there = new Set((await readdir(directory)).map((name) => join(directory, name)));
    expect(rows.filter((row) => !there.has(row.directory))).toEqual([]);
  }, 120_000);
});
