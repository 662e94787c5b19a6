import { ApiProperty } from '@nestjs/swagger';
import type { MirrorView } from '#epochs';
import { IdField, PageOf, WordField } from '../http/answer-fields.js';
import { MirrorId, Text } from '../http/fields.js';

/** Longest path that a file system takes. */
const LONGEST_PLACE = 4096;

export class AddMirrorBody {
  @Text({
    max: LONGEST_PLACE,
    description:
      'Where the mirror is to be, as the vault sees it: an absolute directory, or a `pkcs11:` URI that names its PIN by `pin-source`',
  })
  place!: string;
}

/** The id of a mirror in an address. */
export class MirrorParam {
  @MirrorId()
  id!: string;
}

export class MirrorNamedAnswer {
  @IdField()
  mirrorId!: string;
}

export class RetirementAnswer extends MirrorNamedAnswer {
  @WordField(['proposed', 'retired'])
  state!: string;
}

export class MirrorAnswer {
  @ApiProperty({ type: 'string', format: 'uuid', nullable: true, description: 'null when the place can’t be read' })
  id!: string | null;
  @ApiProperty({ description: 'Where it is' })
  name!: string;
  @ApiProperty({ enum: ['present', 'joining', 'away'], description: 'Only one that is present counts' })
  standing!: MirrorView['standing'];
  @ApiProperty({ type: 'string', nullable: true, description: 'Why it is away, as a word' })
  reason!: string | null;
  @ApiProperty({ type: 'string', nullable: true, description: 'Why it is away, and what to do' })
  message!: string | null;
  @ApiProperty({ type: [Number], description: 'Epochs whose root it holds' })
  roots!: readonly number[];
  @ApiProperty({ description: 'Somebody wants it retired, and nobody else has agreed yet' })
  retirementProposed!: boolean;
}

export class MirrorsAnswer extends PageOf(MirrorAnswer) {}

export const mirrorAnswer = ({ id, reason, message, ...mirror }: MirrorView): MirrorAnswer => ({
  ...mirror,
  ...{ id: id ?? null, reason: reason ?? null, message: message ?? null },
});
