import { Injectable } from '@nestjs/common';
import { defineJob, JobProcessor } from '#jobs';
import type { JobRun } from '#jobs';
import { Checkpoints } from './checkpoints.js';

/** Makes the next checkpoint of the log. Hourly. */
export const checkpointLog = defineJob('checkpoint-log', {});

/** Makes checkpoints of what an import has added, as long as there is enough for a whole one. Every ten minutes. */
export const checkpointStretches = defineJob('checkpoint-stretches', {});

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

@Injectable()
export class CheckpointStretchesProcessor extends JobProcessor<(typeof checkpointStretches)['fields']> {
  readonly job = checkpointStretches;

  constructor(private readonly checkpoints: Checkpoints) {
    super();
  }

  async process(_payload: Record<string, never>, { signal }: JobRun) {
    const checkpoint = await this.checkpoints.wholeStretches(signal);
    return { sequence: checkpoint?.sequence ?? 0 };
  }
}
