import { Injectable } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import type { JobRun, PayloadOf } from '#jobs';
import { defineJob, id, JobProcessor, Jobs } from '#jobs';
import type { ActorId } from '#kernel';
import { inContext, MakulerError, newId, systemContext } from '#kernel';
import { Ledger } from '#ledger';
import { VaultRecovery } from '#vault/operations';
import { BeginSweep } from './begin-sweep.js';
import { DeferralEnd, SweepRun } from './sweep-run.js';
import { mayRun, sweeps, SWEEPS_STREAM } from './sweeps.js';

const asSystem = <T>(work: () => Promise<T>): Promise<T> =>
  inContext(systemContext(newId<ActorId>(), 'rettigheter'), work);

/** Every night: finishes what was cut off, and begins a sweep. Waits for the vault's gate. */
export const nightlySweep = defineJob('nightly-sweep', {});
/** Carries out one sweep. */
export const retentionSweep = defineJob('retention-sweep', { sweepId: id() });
/** Puts sweeps that may go on and have not finished back into the queue, for when it was lost. */
export const resumeSweeps = defineJob('resume-sweeps', {});
/** Shreds what of an erased person waited for the end of this case. */
export const endDeferral = defineJob('end-deferral', { partition: id() });

@Injectable()
export class NightlySweepProcessor extends JobProcessor<(typeof nightlySweep)['fields']> {
  readonly job = nightlySweep;

  constructor(
    private readonly sweep: SweepRun,
    private readonly commands: CommandBus,
    private readonly vault: VaultRecovery,
  ) {
    super();
  }

  process(_payload: PayloadOf<(typeof nightlySweep)['fields']>, { signal }: JobRun) {
    return asSystem(async () => {
      // Behind a closed gate the log may be a restored one: no plan is written into it.
      if (!(await this.vault.gate()).serving) throw new MakulerError('vault-unavailable');
      try {
        return { settled: await this.sweep.settle(signal) };
      } finally {
        // Whatever can't be settled, of others something falls due tonight.
        if (!signal.aborted) await this.commands.execute(new BeginSweep());
      }
    });
  }
}

@Injectable()
export class RetentionSweepProcessor extends JobProcessor<(typeof retentionSweep)['fields']> {
  readonly job = retentionSweep;

  constructor(private readonly sweep: SweepRun) {
    super();
  }

  process({ sweepId }: PayloadOf<(typeof retentionSweep)['fields']>, { signal }: JobRun) {
    return asSystem(async () => ({ shredded: await this.sweep.run(sweepId, signal) }));
  }
}

@Injectable()
export class ResumeSweepsProcessor extends JobProcessor<(typeof resumeSweeps)['fields']> {
  readonly job = resumeSweeps;

  constructor(
    private readonly ledger: Ledger,
    private readonly jobs: Jobs,
  ) {
    super();
  }

  async process() {
    const { state } = await this.ledger.load(sweeps, SWEEPS_STREAM);
    const unfinished = [...state.all.keys()].filter((sweepId) => mayRun(state, sweepId));
    for (const sweepId of unfinished) await this.jobs.enqueue(retentionSweep, { sweepId });
    return { resumed: unfinished.length };
  }
}

@Injectable()
export class EndDeferralProcessor extends JobProcessor<(typeof endDeferral)['fields']> {
  readonly job = endDeferral;

  constructor(private readonly deferral: DeferralEnd) {
    super();
  }

  process({ partition }: PayloadOf<(typeof endDeferral)['fields']>) {
    return asSystem(async () => ({ shredded: await this.deferral.run(partition) }));
  }
}
