import type { Draft } from '#events';
import type { Jobs } from '#jobs';
import type { ActorId } from '#kernel';
import { inContext, newId, systemContext } from '#kernel';
import { LedgerDouble, SetClock } from '#testing';
import { SweepApproved, SweepFinished, SweepPlanned, SweepRequested } from './retention.events.js';
import { ResumeSweepsProcessor, retentionSweep } from './sweep.jobs.js';
import { SWEEPS_STREAM } from './sweeps.js';

describe('a queue that lost its sweeps', () => {
  it('gets back those that may go on, and none that waits for an approval or has finished', async () => {
    const ledger = new LedgerDouble(new SetClock(new Date('2026-06-01T12:00:00Z')), '1');
    const [requested, planned, approved, finished] = [newId(), newId(), newId(), newId()];
    const due = { contact: 7 };
    const drafts: Draft<any>[] = [
      SweepRequested.of({ sweepId: requested, due }),
      SweepPlanned.of({ sweepId: planned, due, reason: 'large' }),
      SweepPlanned.of({ sweepId: approved, due, reason: 'large' }),
      SweepApproved.of({ sweepId: approved }),
      SweepRequested.of({ sweepId: finished, due }),
      SweepFinished.of({ sweepId: finished, shredded: 7 }),
    ];
    await inContext(systemContext(newId<ActorId>()), () =>
      ledger.append({ stream: SWEEPS_STREAM, expected: 'any', drafts }),
    );
    const enqueued: unknown[] = [];
    const jobs = { enqueue: async (...job: unknown[]) => (enqueued.push(job), newId()) };
    expect(await new ResumeSweepsProcessor(ledger, jobs as unknown as Jobs).process()).toEqual({ resumed: 2 });
    expect(enqueued).toEqual([requested, approved].map((sweepId) => [retentionSweep, { sweepId }]));
  });
});
