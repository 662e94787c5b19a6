import { ApiProperty } from '@nestjs/swagger';
import type { Sweep } from '#retention';
import { CountsField, IdField, NullableText, WordField } from '../http/answer-fields.js';
import { CalendarDay, Flag } from '../http/fields.js';

export class SweepBody {
  @CalendarDay({ optional: true, description: 'The day to look at; only with dryRun' })
  asOf?: string;

  @Flag({ optional: true, description: 'Say what would be shredded, and shred nothing' })
  dryRun?: boolean;
}

/** A sweep as it stands. */
export const sweepAnswer = (sweep: Sweep) => ({
  sweepId: sweep.sweepId,
  state: sweep.state,
  due: { ...sweep.due },
  reason: sweep.reason ?? null,
  policyVersion: sweep.policyVersion,
  plannedAt: sweep.plannedAt.toISOString(),
  shredded: sweep.shredded ?? null,
});

export class SweepAnswer {
  @IdField() sweepId!: string;
  @WordField(['requested', 'planned', 'approved', 'finished'], '`planned`: it waits for an approval') state!: string;
  @CountsField('Scopes that are due, by category') due!: Record<string, number>;
  @ApiProperty({ type: String, nullable: true, enum: ['large', 'policy-changed'], description: 'Why it waits' })
  reason!: string | null;
  @ApiProperty() policyVersion!: string;
  @ApiProperty({ format: 'date-time' }) plannedAt!: string;
  @ApiProperty({ type: 'integer', nullable: true, description: 'Keys destroyed; null until it has ended' })
  shredded!: number | null;
}

/** What a sweep would shred. */
export class DrySweepAnswer {
  @ApiProperty({ enum: [true] }) dryRun!: true;
  @NullableText({ format: 'date' }) asOf!: string | null;
  @CountsField('Scopes that are due, by category') due!: Record<string, number>;
  @ApiProperty({ type: 'integer' }) total!: number;
  @ApiProperty({ description: 'It would wait for an approval' }) large!: boolean;
}

export class SweepApprovedAnswer {
  @IdField() sweepId!: string;
  @WordField(['approved']) state!: string;
}

export class ClockAnswer {
  @ApiProperty({ format: 'date-time' }) now!: string;
  @WordField(['plausible', 'unconfirmed', 'implausible']) state!: string;
}
