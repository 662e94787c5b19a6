import { Injectable } from '@nestjs/common';
import { defineJob, JobProcessor } from '#jobs';
import type { JobRun } from '#jobs';
import { Checkpoints } from './checkpoints.js';

/** Makes the next checkpoint of the log. Hourly. */
export const checkpointLog = defineJob('checkpoint-log', {});

@Injectable()
export class CheckpointLogProcessor extends JobProcessor<(typeof checkpointLog)['fields']> {
  readonly job = checkpointLog;

  constructor(private readonly checkpoints: Checkpoints) {
    super();
  }

  async process(_payload: Record<string, never>, { signal }: JobRun) {
    const checkpoint = await this.checkpoints.hourly(signal);
    return { sequence: checkpoint?.sequence ?? 0 };
  }
}
