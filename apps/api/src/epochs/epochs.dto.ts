import { ApiProperty } from '@nestjs/swagger';
import type { EpochsView } from '#epochs';
import { Flag } from '../http/fields.js';

export class SealBody {
  @Flag({ optional: true, description: 'Seal also when nothing was shredded since the last seal' })
  force?: boolean;
}

export class SealAnswer {
  @ApiProperty({ description: 'The epoch that keys are made under from now on' })
  epoch!: number;
  @ApiProperty({ description: 'false when there was nothing to seal' })
  sealed!: boolean;
  @ApiProperty({ description: 'Buckets that got a fresh key, because a key had been shredded under the old one' })
  rotated!: number;
  @ApiProperty({ description: 'Buckets whose key was wrapped anew' })
  rewrapped!: number;
  @ApiProperty({
    type: 'string',
    nullable: true,
    format: 'date-time',
    description: 'Until then, old backups of the vault open; null when there was nothing to seal',
  })
  destroyAt!: string | null;
}

class RetiringAnswer {
  @ApiProperty()
  epoch!: number;
  @ApiProperty({ format: 'date-time' })
  sealedAt!: string;
  @ApiProperty({ format: 'date-time' })
  destroyAt!: string;
  @ApiProperty({ type: [String], description: 'Mirrors that have not confirmed that their root is gone' })
  outstanding!: readonly string[];
  @ApiProperty({ description: 'The date has passed, and a mirror is still outstanding' })
  overdue!: boolean;
}

export class EpochsAnswer implements EpochsView {
  @ApiProperty()
  current!: number;
  @ApiProperty({ format: 'date-time' })
  openedAt!: string;
  @ApiProperty({
    format: 'date-time',
    description: 'From then on the next planned seal comes, if something was shredded',
  })
  sealDueAt!: string;
  @ApiProperty({
    format: 'date-time',
    description: 'By then the next planned seal is over: planned dates count from here',
  })
  nextSealAt!: string;
  @ApiProperty({ description: 'Something was shredded since the last seal' })
  sealNeeded!: boolean;
  @ApiProperty({ description: 'A seal is under way' })
  sealing!: boolean;
  @ApiProperty({ type: [RetiringAnswer], description: 'Sealed epochs whose roots may still exist, the oldest first' })
  retiring!: readonly RetiringAnswer[];
  @ApiProperty({
    type: [Number],
    description: 'Epochs whose roots went with a lost custodian: nobody has seen them destroyed',
  })
  lost!: readonly number[];
}
