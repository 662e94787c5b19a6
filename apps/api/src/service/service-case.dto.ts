import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import type { CaseKind, CaseStatus } from '#service';
import { IdField, OpenedField, PageOf, WordField } from '../http/answer-fields.js';
import { Choice, Id, Nested, Text } from '../http/fields.js';
import { ListQuery } from '../http/list-query.js';

const KINDS: readonly CaseKind[] = ['enquiry', 'return', 'complaint', 'repair'];
const REACHED: readonly CaseStatus[] = [
  'inProgress',
  'awaitingPart',
  'repaired',
  'replaced',
  'refunded',
  'rejected',
  'closed',
  'reopened',
];
const STATUSES: readonly CaseStatus[] = ['opened', ...REACHED];
const given = { optional: true, nullable: true } as const;

export class CaseItemBody {
  @Text({ max: 60, description: 'A short type from your catalogue. Stands in clear: nothing about a person' })
  itemType!: string;
  @Text({ ...given, max: 100 }) serialNumber?: string | null;
}

export class ServiceCaseBody {
  @Id() customerId!: string;
  @Id(given) purchaseId?: string | null;
  @Choice(KINDS) kind!: CaseKind;
  @Nested(() => CaseItemBody) item!: CaseItemBody;
  @Text({ max: 10_000, description: 'Free text, sealed; a national id in it is refused' }) description!: string;
}

export class TransitionBody {
  @Choice(REACHED) to!: CaseStatus;
}

export class NoteBody {
  @Text({ max: 10_000, description: 'Free text, sealed; a national id in it is refused' }) text!: string;
}

export class ServiceCasesQuery extends ListQuery {
  @Choice(STATUSES, { optional: true }) status?: CaseStatus;
}

export class ServiceStatusAnswer {
  @IdField() serviceCaseId!: string;
  @WordField(KINDS) kind!: string;
  @ApiProperty() itemType!: string;
  @WordField(STATUSES) status!: string;
  @ApiProperty({ enum: [...STATUSES], isArray: true, description: 'The statuses that it may go to' })
  allowed!: string[];
  @ApiProperty({ format: 'date' }) openedOn!: string;
  @ApiProperty({ format: 'date' }) changedOn!: string;
  @OpenedField({ schema: { type: 'string', format: 'uuid' } }) customerId!: unknown;
  @OpenedField({ schema: { type: 'string', format: 'uuid' } }) purchaseId!: unknown;
  @OpenedField() serialNumber!: unknown;
  @OpenedField() description!: unknown;
}

export class ServiceHistoryAnswer {
  @ApiProperty({ format: 'date-time' }) at!: string;
  @WordField(['status', 'note']) entry!: string;
  @ApiPropertyOptional({ enum: [...STATUSES] }) status?: string;
  @OpenedField({ description: 'Of a note', required: false }) text?: unknown;
}

/** Where a case stands, and what happened: two things. */
export class ServiceCaseAnswer extends ServiceStatusAnswer {
  @ApiProperty({ type: () => ServiceHistoryAnswer, isArray: true }) history!: ServiceHistoryAnswer[];
}

export class ServiceStatusPageAnswer extends PageOf(ServiceStatusAnswer) {}

export class ServiceCaseWrittenAnswer {
  @IdField() serviceCaseId!: string;
}

export class TransitionAnswer extends ServiceCaseWrittenAnswer {
  @WordField(REACHED) status!: string;
}
