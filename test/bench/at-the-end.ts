import { setTimeout as delay } from 'node:timers/promises';
import { ProjectionStates } from '#projections';
import type { Report } from './bench.js';
import type { Parts } from '#composition';

/** Waits until the read models hold everything that stands in the log: what follows is measured at rest. */
export const reachesEnd = async (
  report: Report | undefined,
  { readModels, ledger }: Pick<Parts, 'readModels' | 'ledger'>,
): Promise<void> => {
  const states = new ProjectionStates(readModels);
  for (;;) {
    const head = await ledger.head();
    const found = await states.list(head);
    if (found.some(({ state }) => state === 'failed')) throw new Error('a read model has stopped');
    if (found.every(({ position }) => position >= head)) return;
    report?.progress(
      'read models catch up',
      Number((Math.min(...found.map(({ position }) => Number(position))) / Number(head)).toFixed(2)),
    );
    await delay(100);
  }
};
