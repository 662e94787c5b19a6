import type { ErasureBoard } from '#erasure';
import { event, plain } from '#events';
import type { ActorId } from '#kernel';
import { inContext, newId, systemContext } from '#kernel';
import type { Position } from '#ledger';
import { Metrics } from '#observability';
import type { ProjectionStates } from '#projections';
import { LedgerDouble, SetClock } from '#testing';
import type { VaultOperations, VaultRecovery } from '#vault/operations';
import { SystemMetrics, SystemReadModels } from './system-metrics.js';

const Ticked = event('test.ticked', 1, { n: plain<number>('a number in a test') });

describe('the lag of a projection', () => {
  const clock = new SetClock(new Date('2026-11-01T12:00:00Z'));
  const ledger = new LedgerDouble(clock);
  const metrics = new Metrics('spec');
  /** Where each stands. */
  const positions: Record<string, Position> = {};
  const list = async (head: Position) =>
    Object.entries(positions).map(([name, position]) => ({ name, position, lag: head - position, state: 'running' }));
  const read = new SystemReadModels({ list } as unknown as ProjectionStates, ledger, {} as ErasureBoard);
  new SystemMetrics(metrics, {} as VaultOperations, {} as VaultRecovery, read, clock).onModuleInit();

  const tick = () =>
    inContext(systemContext(newId<ActorId>()), () =>
      ledger.append({ stream: 'ticker-1', expected: 'any', drafts: [Ticked.of({ n: 1 })] }),
    );
  const wait = (seconds: number) => clock.pass(seconds * 1_000);
  const lags = async () => {
    const { text } = await metrics.exposition();
    const shown = text.matchAll(/^makuler_projection_lag_seconds\{projection="(\w+)".*\} (.*)$/gm);
    return Object.fromEntries([...shown].map(([, name, seconds]) => [name, Math.round(Number(seconds))]));
  };

  it('is the age of the oldest event that it does not have, whatever came later, and grows until it has it', async () => {
    Object.assign(positions, { frozen: 0n, half: 1n, whole: 2n });
    await tick();
    wait(40);
    await tick();
    wait(20);
    expect(await lags()).toEqual({ frozen: 60, half: 20, whole: 0 });
    wait(1_000);
    expect(await lags()).toEqual({ frozen: 1_060, half: 1_020, whole: 0 });
    await tick();
    expect(await lags()).toEqual({ frozen: 1_060, half: 1_020, whole: 0 });
    wait(5);
    Object.assign(positions, { frozen: 3n });
    expect(await lags()).toEqual({ frozen: 0, half: 1_025, whole: 5 });
  });

  it('is none on an empty log, and not negative where another machine has a clock that is ahead', async () => {
    wait(-3_600);
    expect(await lags()).toMatchObject({ half: 0 });
  });
});
