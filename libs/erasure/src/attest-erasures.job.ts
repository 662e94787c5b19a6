import { Injectable } from '@nestjs/common';
import type { JobRun, Jobs, PayloadOf } from '#jobs';
import { defineJob, JobProcessor } from '#jobs';
import { EpochRootsDestroyed, EpochSealed } from '#epochs';
import type { ActorId } from '#kernel';
import { inContext, newId, systemContext } from '#kernel';
import { process } from '#projections';
import { ClearingFollowUp } from './clearing-follow-up.js';

/** Looks after every certified erasure whose backups are not cleared yet: each hour, and whenever an epoch moved on. The schedule repeats it. */
export const attestErasures = defineJob('attest-erasures', {}, { attempts: 3 });

@Injectable()
export class AttestErasuresProcessor extends JobProcessor<(typeof attestErasures)['fields']> {
  readonly job = attestErasures;

  constructor(private readonly followUp: ClearingFollowUp) {
    super();
  }

  process(_payload: PayloadOf<(typeof attestErasures)['fields']>, { signal }: JobRun) {
    return inContext(systemContext(newId<ActorId>(), 'rettigheter'), async () => ({
      ...(await this.followUp.run(signal)),
    }));
  }
}

/** An epoch that was sealed makes dates exact; one whose roots are gone makes them true. */
export const erasureAttestation = (jobs: Pick<Jobs, 'enqueue'>) =>
  process('erasure_attestation')
    .on(EpochSealed, ({ eventId }) => jobs.enqueue(attestErasures, {}, { jobId: eventId }))
    .on(EpochRootsDestroyed, ({ eventId }) => jobs.enqueue(attestErasures, {}, { jobId: eventId }));
