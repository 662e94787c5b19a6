import fc from 'fast-check';
import type { Combination, Outcome, Step } from './restore-world.js';
import { RestoreWorld } from './restore-world.js';

/** Moments around two erasures and an expiry: after each of these steps one. */
const HISTORY: readonly Step[] = [
  ...(['register', 'register', 'checkpoint', 'shred', 'say', 'seal', 'register'] as const),
  ...(['checkpoint', 'shred', 'say', 'checkpoint', 'expire', 'seal', 'destroy'] as const),
];
const WINDOWS = ['none', 'long'] as const;
const STORES = ['log', 'vault', 'custodian'] as const;

/** Never a third thing: it serves, and everything reads as it must, or it refuses, and says why and what to do. */
const expectOneOfTwo = (outcome: Outcome, from: Combination): void => {
  const mute = (text: string) => (text.length < 30 ? [`refused without a word: ${text}`] : []);
  const wrong = outcome.is === 'serving' ? outcome.wrong : [outcome.why, outcome.wayOut].flatMap(mute);
  expect({ from, outcome, wrong }).toEqual({ from, outcome, wrong: [] });
};

/** A combination of moments, as parts of the whole history, so that histories of any length can be asked for it. */
const anyMoments = fc.record({ log: fc.nat(99), vault: fc.nat(99), custodian: fc.nat(99) });
const inside = (world: RestoreWorld, { log, vault, custodian }: Combination): Combination => {
  const moment = (part: number) => Math.floor((part * world.moments) / 100);
  return { log: moment(log), vault: moment(vault), custodian: moment(custodian) };
};

/** P3: whatever is put back, from whatever moment, nobody who was forgotten is there again. */
describe('P3: every restore', () => {
  describe.each(WINDOWS)('with a window that is %s', (window) => {
    let world: RestoreWorld;
    beforeAll(async () => {
      world = await RestoreWorld.after(HISTORY, window);
    });
    afterAll(() => world?.end());

    const restored = async (from: Combination): Promise<Outcome> => {
      const outcome = await world.restored(from);
      expectOneOfTwo(outcome, from);
      return outcome;
    };

    it('of each store alone, from each moment, serves with the erased still erased and all others readable, or refuses and says why', async () => {
      const present = { log: world.now, vault: world.now, custodian: world.now };
      const seen = new Set<string>();
      for (const store of STORES)
        for (let moment = 0; moment < world.moments; moment++) {
          const outcome = await restored({ ...present, [store]: moment });
          seen.add(`${store} ${outcome.is === 'serving' ? outcome.gate : outcome.state}`);
        }
      // While old roots are left, the journal makes an old vault good again; afterwards it is only good for nothing.
      expect([...seen].sort()).toEqual(
        [
          ...[
            'log behind',
            'log consistent',
            'vault stale',
            'vault consistent',
            // From before the vault's epoch it has no root that opens anything.
            'custodian lost',
            'custodian consistent',
          ],
          ...(window === 'long' ? ['vault reconciled'] : ['custodian behind']),
        ].sort(),
      );
    });

    it('of all stores, from any moments, serves with the erased still erased and all others readable, or refuses and says why', async () => {
      let [served, refused] = [0, 0];
      const property = fc.asyncProperty(anyMoments, async (moments) => {
        const outcome = await restored(inside(world, moments));
        if (outcome.is === 'refused') refused++;
        else if (outcome.brought > 0) served++;
      });
      // Chance seldom finds three that fit together.
      const fitting = [99, 92, 85, 78].map((vault): [Combination] => [{ log: 99, vault, custodian: 99 }]);
      await fc.assert(property, { numRuns: 60, endOnFailure: true, examples: fitting });
      expect([served > 0, refused > 0]).toEqual([true, true]);
    });

    it('of a whole machine to one moment, with no witness outside it, serves what was then: the stated limit', async () => {
      for (let moment = 0; moment < world.moments; moment++) {
        const outcome = await restored({ log: moment, vault: moment, custodian: moment });
        expect(outcome).toMatchObject({ is: 'serving' });
        if (moment < world.firstShred) expect(outcome).toMatchObject({ gate: 'consistent', brought: 0 });
      }
    });
  });

  it('of a whole machine, with one mirror of the custodian elsewhere, brings nobody back', async () => {
    const world = await RestoreWorld.after(HISTORY, 'long');
    try {
      for (let moment = 0; moment < world.moments; moment++) {
        const from = { log: moment, vault: moment, custodian: moment, elsewhere: world.now };
        expectOneOfTwo(await world.restored(from), from);
      }
    } finally {
      await world.end();
    }
  });

  it('after any history around two erasures', async () => {
    const between = fc.array(fc.constantFrom<Step>('register', 'expire', 'seal', 'destroy', 'checkpoint'), {
      maxLength: 2,
    });
    const histories = fc
      .tuple(between, between, between, between)
      .map(([a, b, c, d]): Step[] => [
        ...(['register', 'register', 'register'] as const),
        ...[...a, 'shred' as const, ...b, 'say' as const, ...c, 'shred' as const, 'say' as const, ...d],
      ]);
    const restores = fc.array(anyMoments, { minLength: 8, maxLength: 8 });
    const property = fc.asyncProperty(
      histories,
      fc.constantFrom(...WINDOWS),
      restores,
      async (history, window, all) => {
        const world = await RestoreWorld.after(history, window);
        try {
          for (const moments of all) {
            const from = inside(world, moments);
            expectOneOfTwo(await world.restored(from), from);
          }
        } finally {
          await world.end();
        }
      },
    );
    await fc.assert(property, { numRuns: 6, endOnFailure: true });
  }, 120_000);
});
