import { Injectable } from '@nestjs/common';
import { defineJob, JobProcessor } from '#jobs';
import type { ActorId } from '#kernel';
import { inContext, newId, systemContext } from '#kernel';
import { ClockGuard } from '#retention';
import { VaultOperations } from '#vault/operations';
import { EpochRecord } from './epoch-record.js';

/** Destroys the roots of sealed epochs whose date has come: each hour, and at the date of each; the schedule is what repeats it. */
export const destroyRoots = defineJob('destroy-roots', {}, { attempts: 3 });

@Injectable()
export class DestroyRootsProcessor extends JobProcessor<(typeof destroyRoots)['fields']> {
  readonly job = destroyRoots;

  constructor(
    private readonly guard: ClockGuard,
    private readonly operations: VaultOperations,
    private readonly record: EpochRecord,
  ) {
    super();
  }

  /** Mirrors that are away are asked again by the next run, for as long as it takes. */
  process() {
    return inContext(systemContext(newId<ActorId>()), async () => {
      // First: an epoch whose root is gone is named by nobody any more who did not know that it was sealed.
      await this.record.bringUpToDate();
      await this.guard.assertConfirmed();
      const { destroyed, outstanding } = await this.operations.destroyRoots();
      await this.record.bringUpToDate();
      return { destroyed: destroyed.length, outstanding: outstanding.length };
    });
  }
}
