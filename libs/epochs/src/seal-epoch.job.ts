import { Injectable } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { defineJob, JobProcessor } from '#jobs';
import type { ActorId } from '#kernel';
import { Clock, inContext, newId, systemContext } from '#kernel';
import { VaultOperations } from '#vault/operations';
import { SealEpoch } from './seal-epoch.js';

/**
 * Seals the epoch when the vault's plan says so. Scheduled every ten minutes: what certificates promise counts from the plan,
 * and the schedule is what repeats it.
 */
export const sealEpoch = defineJob('seal-epoch', {}, { attempts: 3 });

/** Ten minutes and a little: what falls due before the next look is sealed now. */
const AHEAD_MS = 12 * 60_000;

@Injectable()
export class SealEpochProcessor extends JobProcessor<(typeof sealEpoch)['fields']> {
  readonly job = sealEpoch;

  constructor(
    private readonly operations: VaultOperations,
    private readonly commands: CommandBus,
    private readonly clock: Clock,
  ) {
    super();
  }

  async process() {
    const { sealDueAt, sealing, sealNeeded } = await this.operations.epochs();
    // Not even a checkpoint of the log: an idle system writes nothing.
    if (!sealNeeded) return { sealed: 0 };
    // Planned dates count from the planned seal: one that comes after it would move every date that was given out.
    if (!sealing && Date.parse(sealDueAt) - this.clock.now().getTime() > AHEAD_MS) return { sealed: 0 };
    return inContext(systemContext(newId<ActorId>()), async () => {
      const { sealed, rotated, rewrapped } = await this.commands.execute(new SealEpoch());
      return { sealed: sealed ? 1 : 0, rotated, rewrapped };
    });
  }
}
