import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import type { ErasureRow, ErasureStep, PlanLine, PlannedScope } from '#erasure';
import { PageOf, WordField } from '../http/answer-fields.js';
import { Id, Text } from '../http/fields.js';

export class ErasureBody {
  @Id({ optional: true, description: 'The person; or else companyId' })
  customerId?: string;

  @Id({ optional: true, description: 'A sole proprietorship, or a company of unknown form' })
  companyId?: string;

  @Text({ max: 60, description: 'One of the grounds that the policy names, e.g. subject-request' })
  ground!: string;

  @Text({ optional: true, max: 2000, description: 'Sealed, and destroyed with the person; no part of the plan hash' })
  note?: string;
}

export class ApprovalBody {
  @Text({ min: 64, max: 64, description: 'The planHash of the plan that was looked at' })
  planHash!: string;
}

export class ItemAnswer implements Omit<PlannedScope, 'category' | 'untilEvent'> {
  @ApiProperty()
  category!: string;
  @ApiProperty({ description: 'Which purchase, voucher, case, revision …; empty where there is one for the person' })
  partition!: string;
  @ApiProperty({ enum: ['shred', 'retain', 'defer', 'hold'] })
  action!: PlannedScope['action'];
  @ApiProperty({ required: false, format: 'date', description: 'Last day kept' })
  until?: string;
  @ApiProperty({ required: false })
  untilEvent?: string;
  @ApiProperty({ required: false, format: 'date' })
  reviewOn?: string;
  @ApiProperty({ required: false })
  law?: string;
  @ApiProperty()
  why!: string;
}

export class PlanAnswer {
  @ApiProperty({ format: 'uuid' })
  erasureId!: string;
  @ApiProperty()
  planHash!: string;
  @ApiProperty({ type: [ItemAnswer] })
  items!: readonly ItemAnswer[];
}

/** Where an erasure stands, as the board shows it. */
export const erasureAnswer = (row: ErasureRow) => ({
  erasureId: row.erasure_id,
  ...(row.owner_kind === 'subject' ? { customerId: row.owner_id } : { companyId: row.owner_id }),
  state: row.state,
  ground: row.ground,
  planHash: row.plan_hash,
  plan: row.summary,
  plannedAt: row.planned_at.toISOString(),
  steps: row.steps,
  retrying: row.delayed,
  liveErasedAt: row.live_erased_at?.toISOString() ?? null,
  backupsClearedBy: row.backups_cleared_by?.toISOString() ?? null,
  backupsClearedAt: row.backups_cleared_at?.toISOString() ?? null,
  backupsDelay: row.backups_cleared_at ? null : (row.certificates.at(-1)?.reason ?? null),
});

export class PlanLineAnswer implements Omit<PlanLine, 'category' | 'untilEvent'> {
  @ApiProperty() category!: string;
  @WordField(['shred', 'retain', 'defer', 'hold']) action!: PlanLine['action'];
  @ApiProperty({ type: 'integer' }) count!: number;
  @ApiPropertyOptional({ format: 'date' }) until?: string;
  @ApiPropertyOptional() untilEvent?: string;
  @ApiPropertyOptional() law?: string;
}

class StepAnswer implements ErasureStep {
  @ApiProperty() step!: string;
  @ApiProperty({ format: 'date-time' }) at!: string;
  @ApiProperty({ description: 'Who did it: a random id' }) actor!: string;
}

class RetriedStepAnswer {
  @ApiProperty() step!: string;
  @ApiProperty({ description: 'Of the error' }) code!: string;
  @ApiProperty({ format: 'date-time' }) since!: string;
}

export class ErasureAnswer {
  @ApiProperty({ format: 'uuid' })
  erasureId!: string;
  @ApiProperty({ required: false, format: 'uuid' })
  customerId?: string;
  @ApiProperty({ required: false, format: 'uuid' })
  companyId?: string;
  @ApiProperty({
    enum: ['planned', 'approved', 'requested', 'fenced', 'executed', 'verified', 'erased', 'stopped', 'givenUp'],
  })
  state!: string;
  @ApiProperty()
  ground!: string;
  @ApiProperty()
  planHash!: string;
  @ApiProperty({ type: PlanLineAnswer, isArray: true, description: 'Counts by category, action and law' })
  plan!: readonly PlanLineAnswer[];
  @ApiProperty({ format: 'date-time' })
  plannedAt!: string;
  @ApiProperty({ type: StepAnswer, isArray: true })
  steps!: readonly StepAnswer[];
  @ApiProperty({ type: RetriedStepAnswer, isArray: true, description: 'What failed and is being repeated' })
  retrying!: readonly RetriedStepAnswer[];
  @ApiProperty({ type: 'string', nullable: true, format: 'date-time' })
  liveErasedAt!: string | null;
  @ApiProperty({
    type: 'string',
    nullable: true,
    format: 'date-time',
    description: 'Planned, by the newest certificate: by then no backup can give the data back; null without a date',
  })
  backupsClearedBy!: string | null;
  @ApiProperty({
    type: 'string',
    nullable: true,
    format: 'date-time',
    description: 'It has come true, and is attested',
  })
  backupsClearedAt!: string | null;
  @ApiProperty({
    type: 'string',
    nullable: true,
    enum: ['first-date', 'seal-late', 'mirror-outstanding'],
    description: 'Why the newest certificate took the place of another; null for the first, and once it is attested',
  })
  backupsDelay!: string | null;
}

export class ErasuresAnswer extends PageOf(ErasureAnswer) {}
