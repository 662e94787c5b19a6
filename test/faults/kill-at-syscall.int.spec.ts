import { randomUUID } from 'node:crypto';
import { ArchiveWorld } from './archive-world.js';
import { aKillPoint, BACKUP_CALLS, canKillAtCalls, Dice, RESTORE_CALLS, VAULT_CALLS } from './kill-point.js';
import { KilledVault } from './killed-vault.js';
import { VaultHistory } from './vault-history.js';

/** Kills of the vault; backups and restores are killed less often. `MAKULER_ROUNDS` asks for more. */
const MANY = process.env['MAKULER_ROUNDS'];
const ROUNDS = Number(MANY ?? 8);
/** What a failure names, to meet it again with as many rounds as it says. */
const SEED = Number(process.env['MAKULER_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
/** After so many kills a history ends, and the next begins with an empty vault and a seed of its own. */
const PER_HISTORY = 20;
/** How often what nobody kills is asked again on a machine that is so busy that a vault loses its lease. */
const ATTEMPTS = 20;
const SERVING = /^(consistent|reconciled)$/;

const can = canKillAtCalls();
if (!can) process.stderr.write('SKIPPED: strace is missing or may not trace: nothing was killed at a system call.\n');

/** Killed at any call that changes a disk or leaves the process, and always resumed to one of two legal states (P2, P3, P6). Runs on the built code. */
(can ? describe : describe.skip)('killed at any write, fsync, rename or unlink', () => {
  const where = new Map<string, number>();
  afterAll(() => {
    if (process.env['MAKULER_ROUNDS'])
      process.stderr.write(`${[...where].map(([at, n]) => `${n} ${at}`).join('\n')}\n`);
  });
  const note = (who: string, at = 'not reached') => {
    const call = at.replace(/(["<])[^">]*\/([^/">]+)([">])/g, '$1$2$3').replace(/[0-9a-f]{16}|\d+/g, 'n');
    where.set(`${who}: ${call}`, (where.get(`${who}: ${call}`) ?? 0) + 1);
  };
  /** Histories with a seed each, until there were so many rounds. */
  const histories = async (all: number, live: (dice: Dice, rounds: number) => Promise<void>) => {
    for (let from = 0; from < all; from += PER_HISTORY) {
      const [seed, rounds] = [SEED + from, Math.min(PER_HISTORY, all - from)];
      await live(new Dice(seed), rounds).catch((cause: unknown) => {
        throw new Error(`again with MAKULER_SEED=${seed} MAKULER_ROUNDS=${ROUNDS}`, { cause });
      });
      if (MANY) process.stderr.write(`${seed}: ${rounds} rounds\n`);
    }
  };

  it('a vault keeps what it acknowledged, brings nobody back, and ends what it began', async () => {
    await histories(ROUNDS, async (dice, rounds) => {
      const vault = await KilledVault.unfounded();
      const history = new VaultHistory(vault, dice);
      try {
        for (let round = 0; round < rounds; round++) {
          const launched = await vault.launch(aKillPoint(dice, VAULT_CALLS));
          if (launched) {
            expect(launched.gate).toMatch(SERVING);
            // What the kill before has left is looked at by a vault that may be killed while it is.
            let goesOn = await history.check();
            for (let steps = 5 + dice.below(20); goesOn && steps > 0; steps--) goesOn = await history.happen();
          }
          note('vault', await vault.kill());
          history.checkRoots(await vault.roots());
          if (dice.below(4) > 0 && round < rounds - 1) continue;
          expect((await vault.launch())?.gate).toMatch(SERVING);
          await history.checkInPeace();
        }
        expect(history.acknowledged).toBeGreaterThan(0);
      } finally {
        await vault.end();
      }
    });
  }, 3_600_000);

  it('a backup leaves whole sets only, and the next one clears the rest away', async () => {
    await histories(Math.ceil(ROUNDS / 2), async (dice, rounds) => {
      const world = await ArchiveWorld.build();
      try {
        for (let round = 0; round < rounds; round++) {
          const said = await world.backUp(aKillPoint(dice, BACKUP_CALLS));
          expect(said?.failed).toBeUndefined();
          note('backup', await world.whereKilled());
          const left = await world.checkSets();
          if (dice.below(3) > 0 && round < rounds - 1) continue;
          expect(await world.backUp()).toEqual({ set: expect.any(String), cleared: left.length });
          expect(await world.checkSets()).toEqual([]);
          await world.checkInventory();
        }
      } finally {
        await world.end();
      }
    });
  }, 3_600_000);

  it('a restore, and the vault during one, run again until they end, leave what one leaves that was not killed', async () => {
    await histories(Math.ceil(ROUNDS / 4), async (dice, rounds) => {
      const world = await ArchiveWorld.build();
      try {
        await world.shredOne();
        const { set } = (await world.backUp())!;
        await world.shredOne();
        const whole = await world.see(world.source);
        expect(whole.names.filter((name) => name === 'shredded' || name === 'erased')).toHaveLength(2);
        const bring = async (kills: number) => {
          const into = await world.freshStores();
          const incarnation = randomUUID();
          try {
            for (let left = kills; left > -ATTEMPTS; left--) {
              const victim = dice.oneOf(['vault', 'restore']);
              const among = victim === 'vault' ? VAULT_CALLS : RESTORE_CALLS;
              const point = left > 0 ? aKillPoint(dice, among) : undefined;
              await world.vault.launch(victim === 'vault' ? point : undefined, into.vault);
              const said = await world.restore(set!, incarnation, into, victim === 'restore' ? point : undefined);
              if (left <= 0 && said?.failed === undefined) return await world.see(into);
              // Nothing but an outage of the vault keeps a restore from going on: it was killed, or the machine is busy.
              if (said?.failed !== undefined) expect(said).toMatchObject({ failed: 'vault-unavailable' });
              if (left <= 0) continue;
              note(`${victim} in a restore`, victim === 'vault' ? await world.vault.kill() : await world.whereKilled());
            }
            throw new Error('the restore does not end, though nobody kills it');
          } finally {
            await world.vault.kill();
            await into.end();
          }
        };
        expect(await bring(0)).toEqual(whole);
        for (let round = 0; round < rounds; round += 3) expect(await bring(Math.min(3, rounds - round))).toEqual(whole);
      } finally {
        await world.end();
      }
    });
  }, 3_600_000);
});
