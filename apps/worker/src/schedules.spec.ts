import { defineJob } from '#jobs';
import { MakulerError } from '#kernel';
import type { Scheduled } from './jobs.js';
import type { ScheduleNotice } from './schedules.js';
import { Schedules } from './schedules.js';

const [first, last, resume] = [defineJob('first', {}), defineJob('last', {}), defineJob('resume', {})];
const schedules: readonly Scheduled[] = [first, last].map((job) => ({ job, payload: {}, cron: '0 2 * * *' }));

/** Queues that can be lost, and that die in the middle of being filled. */
class Queues {
  readonly scheduled = new Set<string>();
  readonly enqueued: string[] = [];
  readonly asked: string[] = [];
  dyingAt: string | undefined;

  schedule = async ({ name }: { name: string }) => {
    if (name === this.dyingAt) throw new MakulerError('queue-unavailable');
    this.scheduled.add(name);
  };
  isScheduled = async ({ name }: { name: string }) => {
    this.asked.push(name);
    return this.scheduled.has(name);
  };
  enqueue = async ({ name }: { name: string }) => {
    this.enqueued.push(name);
    return name;
  };
}

const until = async (satisfied: () => boolean) => {
  while (!satisfied()) await new Promise((resolve) => setTimeout(resolve, 1));
};

describe('schedules', () => {
  const watch = async (queues: Queues) => {
    const notices: ScheduleNotice[] = [];
    const kept = new Schedules({
      ...{ jobs: queues, work: { schedules, resumes: [resume] } },
      ...{ notice: (notice: ScheduleNotice) => notices.push(notice), everyMs: 1 },
    });
    await kept.start();
    return { kept, notices };
  };

  it('looks for open orders when it finds a store empty, and not when everything is there', async () => {
    const queues = new Queues();
    await (await watch(queues)).kept.stop();
    expect(queues.enqueued).toEqual(['resume']);
    await (await watch(queues)).kept.stop();
    expect(queues.enqueued).toEqual(['resume']);
  });

  it('puts back what was lost while it watches, and has the open orders looked for, once', async () => {
    const queues = new Queues();
    const { kept, notices } = await watch(queues);
    queues.scheduled.clear();
    await until(() => notices.length > 0);
    const seen = queues.asked.length;
    await until(() => queues.asked.length > seen + 3);
    await kept.stop();
    expect(notices).toEqual([{ event: 'queue.refilled' }]);
    expect([...queues.scheduled]).toEqual(['first', 'last']);
    expect(queues.enqueued).toEqual(['resume', 'resume']);
  });

  it('begins anew when the store goes away in the middle of it', async () => {
    const queues = new Queues();
    const { kept, notices } = await watch(queues);
    queues.dyingAt = 'last';
    queues.scheduled.clear();
    await until(() => notices.length > 0);
    expect(notices[0]).toEqual({ event: 'queue.unwatched', code: 'queue-unavailable' });
    queues.dyingAt = undefined;
    await until(() => notices.some(({ event }) => event === 'queue.refilled'));
    await kept.stop();
    expect([...queues.scheduled]).toEqual(['first', 'last']);
  });
});
