import { ApiProperty } from '@nestjs/swagger';
import type { Loss } from '#recovery';
import { Text } from '../http/fields.js';

export class LossApprovalBody {
  @Text({ min: 64, max: 64, description: 'The hash of the loss that was looked at' })
  hash!: string;
}

class MissingEventsAnswer {
  @ApiProperty({ description: 'Number of the first event that is missing, counted from the beginning of the log' })
  from!: number;
  @ApiProperty()
  to!: number;
}

export class LossAnswer {
  @ApiProperty({ format: 'uuid' })
  lossId!: string;
  @ApiProperty({ enum: ['found', 'approved', 'accepted'] })
  state!: Loss['state'];
  @ApiProperty({ description: 'Over exactly what is lost: an approver names it' })
  hash!: string;
  @ApiProperty({
    type: 'object',
    additionalProperties: { type: 'number' },
    description: 'Keys that no copy here has or opens, by the kind of stream that they stand in',
  })
  scopes!: Record<string, number>;
  @ApiProperty({ type: MissingEventsAnswer, nullable: true, description: 'Events that the log has lost' })
  missingEvents!: MissingEventsAnswer | null;
  @ApiProperty({
    enum: ['possible-tampering', 'older-custodian'],
    nullable: true,
    description:
      'What no program can tell: whether the log was restored and has grown since or was tampered with; whether mirrors of the custodian that are lost knew of somebody forgotten',
  })
  doubt!: Loss['report']['doubt'] | null;
}

/** A loss as it stands. */
export const lossAnswer = ({ lossId, state, report: { hash, scopes, missingEvents, doubt } }: Loss) => ({
  ...{ lossId, state, hash, scopes: { ...scopes } },
  missingEvents: missingEvents ? { ...missingEvents } : null,
  doubt: doubt ?? null,
});
