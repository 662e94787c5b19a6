import { ApiProperty } from '@nestjs/swagger';
import { IdField, OpenedField, WordField } from '../http/answer-fields.js';
import { ItemAnswer } from './erasure.dto.js';

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
  @OpenedField({ schema: { type: 'array', items: { $ref: '#/components/schemas/ItemAnswer' } } })
  items!: ItemAnswer[] | object;
  @OpenedField() note!: unknown;
}
