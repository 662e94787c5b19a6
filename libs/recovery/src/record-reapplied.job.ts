import type { OnApplicationBootstrap } from '@nestjs/common';
import { Injectable } from '@nestjs/common';
import { defineJob, JobProcessor, Jobs } from '#jobs';
import type { ActorId } from '#kernel';
import { inContext, newId, systemContext } from '#kernel';
import { ReappliedRecord } from './reapplied-record.js';

/** Writes down what the vault applied again at its start: when the worker starts, and every ten minutes. */
export const recordReapplied = defineJob('record-reapplied', {});

@Injectable()
export class RecordReappliedProcessor
  extends JobProcessor<(typeof recordReapplied)['fields']>
  implements OnApplicationBootstrap
{
  readonly job = recordReapplied;

  constructor(
    private readonly record: ReappliedRecord,
    private readonly jobs: Jobs,
  ) {
    super();
  }

  async onApplicationBootstrap() {
    await this.jobs.enqueue(recordReapplied, {});
  }

  process() {
    return inContext(systemContext(newId<ActorId>()), async () => ({ written: await this.record.bringUpToDate() }));
  }
}
