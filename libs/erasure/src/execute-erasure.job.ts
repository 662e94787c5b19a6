import { Injectable } from '@nestjs/common';
import type { ActorId, CompanyId, ErasureId, SubjectId } from '#kernel';
import { companyOwner, inContext, newId, subjectOwner, systemContext } from '#kernel';
import type { JobRun, PayloadOf } from '#jobs';
import { code, defineJob, id, JobProcessor, Jobs } from '#jobs';
import { ErasureBoard } from './erasure-board.js';
import { ErasureExecution } from './erasure-execution.js';

/** Does the steps of an erasure that are left. */
export const executeErasure = defineJob('execute-erasure', {
  ownerKind: code('subject', 'company'),
  ownerId: id(),
  erasureId: id<ErasureId>(),
});

@Injectable()
export class ExecuteErasureProcessor extends JobProcessor<(typeof executeErasure)['fields']> {
  readonly job = executeErasure;

  constructor(private readonly execution: ErasureExecution) {
    super();
  }

  async process({ ownerKind, ownerId, erasureId }: PayloadOf<(typeof executeErasure)['fields']>, { signal }: JobRun) {
    const owner = ownerKind === 'subject' ? subjectOwner(ownerId as SubjectId) : companyOwner(ownerId as CompanyId);
    await inContext(systemContext(newId<ActorId>(), 'rettigheter'), () => this.execution.run(owner, erasureId, signal));
  }
}

/**
 * Puts erasures that are under way back into the queue: each hour, for one whose attempts have run out, and when the queues
 * were lost.
 */
export const resumeErasures = defineJob('resume-erasures', {});

@Injectable()
export class ResumeErasuresProcessor extends JobProcessor<(typeof resumeErasures)['fields']> {
  readonly job = resumeErasures;

  constructor(
    private readonly board: ErasureBoard,
    private readonly jobs: Jobs,
  ) {
    super();
  }

  async process() {
    const underway = await this.board.underway();
    for (const { owner_kind: ownerKind, owner_id: ownerId, erasure_id: erasureId } of underway)
      await this.jobs.enqueue(executeErasure, { ownerKind, ownerId, erasureId });
    return { resumed: underway.length };
  }
}
