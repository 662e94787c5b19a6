import { ApiProperty } from '@nestjs/swagger';
import { IdField, NullableText, OpenedField, WordField } from '../http/answer-fields.js';
import { ItemAnswer, PlanLineAnswer } from './erasure.dto.js';

/** Where the case of a person stands: the board's states, in the words of the person's own stream. */
const CASE_STATES = ['planned', 'approved', 'requested', 'fenced', 'executed', 'verified', 'erased', 'givenUp'];

export class ErasureStateAnswer {
  @IdField() erasureId!: string;
  @WordField(CASE_STATES) state!: string;
}

export class PlanApprovedAnswer extends ErasureStateAnswer {
  @ApiProperty() planHash!: string;
}

/** The plan that holds now. What it lists is erased together with it. */
export class CurrentPlanAnswer {
  @IdField() erasureId!: string;
  @ApiProperty() planHash!: string;
  @ApiProperty() ground!: string;
  @ApiProperty({ type: PlanLineAnswer, isArray: true, description: 'Counts of all items, by category, action and law' })
  plan!: readonly PlanLineAnswer[];
  @OpenedField({ schema: { type: 'array', items: { $ref: '#/components/schemas/ItemAnswer' } } })
  items!: ItemAnswer[] | object;
  @NullableText({ description: 'The `cursor` of the next page of items; null on the last, and once they are erased' })
  nextCursor!: string | null;
  @OpenedField() note!: unknown;
}
