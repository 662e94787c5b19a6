import { ApiProperty } from '@nestjs/swagger';
import type { SetState, SetView } from '#backup';

class SetAnswer implements SetView {
  @ApiProperty({ format: 'uuid' })
  setId!: string;
  @ApiProperty({ description: 'Where it was written, on the machine that took it' })
  directory!: string;
  @ApiProperty({ format: 'date-time' })
  createdAt!: string;
  @ApiProperty({ description: 'Position of the last event in it' })
  position!: string;
  @ApiProperty({ description: 'Events in it' })
  events!: number;
  @ApiProperty({ description: 'The epoch with whose roots it dies' })
  epoch!: number;
  @ApiProperty()
  bytes!: number;
  @ApiProperty({ enum: ['good', 'expired', 'removed'] })
  state!: SetState;
  @ApiProperty({ type: 'string', format: 'date-time', nullable: true, description: 'When it was read back whole' })
  verifiedAt!: string | null;
  @ApiProperty({ type: 'string', format: 'date-time', nullable: true, description: 'When a drill found nothing wrong' })
  drilledAt!: string | null;
  @ApiProperty({
    type: 'string',
    nullable: true,
    description:
      'An instant; `open` while its epoch is not sealed; `unknown` while the vault cannot be asked; null when it can be restored no more',
  })
  restorableUntil!: string | null;
}

export class BackupsAnswer {
  @ApiProperty({ type: [SetAnswer] })
  items!: SetAnswer[];
  @ApiProperty({ type: [String], description: 'What somebody should look after' })
  warnings!: string[];
}
