import { ApiExtraModels, ApiProperty, ApiPropertyOptional, getSchemaPath } from '@nestjs/swagger';
import { ERRORS } from '#kernel';
import { WordField } from '../http/answer-fields.js';

export class LiveAnswer {
  @WordField(['live']) status!: string;
}

class CheckAnswer {
  @ApiProperty() ready!: boolean;
  @ApiPropertyOptional({ description: 'A state or an error code; only of what is not ready' }) because?: string;
}

/** Whether requests can be answered, and what each part says of itself. */
@ApiExtraModels(CheckAnswer)
export class ReadyAnswer {
  @ApiProperty() ready!: boolean;
  @ApiProperty({ type: 'object', additionalProperties: { $ref: getSchemaPath(CheckAnswer) } })
  checks!: Record<string, CheckAnswer>;
}

/** What a problem's code means, and what to do. */
export class ErrorAnswer {
  @WordField(Object.keys(ERRORS)) code!: string;
  @ApiProperty({ type: 'integer', description: 'The HTTP status that it is answered with' }) status!: number;
  @ApiProperty() meaning!: string;
  @ApiProperty() wayOut!: string;
}

export class ErrorsAnswer {
  @ApiProperty({ type: ErrorAnswer, isArray: true }) items!: ErrorAnswer[];
}

const BUILD_STATES = ['catching-up', 'running', 'paused', 'failed', 'outdated'];

class ProjectionErrorAnswer {
  @ApiProperty() code!: string;
  @ApiProperty({ type: String, nullable: true }) eventId!: string | null;
}

class RebuildAnswer {
  @WordField(BUILD_STATES) state!: string;
  @ApiProperty() position!: string;
  @ApiProperty({ description: 'From 0 to 1' }) progress!: number;
  @ApiProperty({ type: ProjectionErrorAnswer, nullable: true }) lastError!: ProjectionErrorAnswer | null;
}

export class ProjectionAnswer {
  @ApiProperty() name!: string;
  @WordField(['projection', 'process']) kind!: string;
  @ApiProperty({ type: 'integer' }) version!: number;
  @WordField(BUILD_STATES) state!: string;
  @ApiProperty({ description: 'Log position of the last event in its rows' }) position!: string;
  @ApiProperty({ description: 'Distance to the end of the log, in positions' }) lag!: string;
  @ApiProperty({ description: 'Events that it has handled' }) events!: string;
  @ApiProperty({ format: 'date-time' }) changedAt!: string;
  @ApiProperty({ type: ProjectionErrorAnswer, nullable: true }) lastError!: ProjectionErrorAnswer | null;
  @ApiProperty({ type: RebuildAnswer, nullable: true, description: 'The one that is built beside it, if there is one' })
  rebuild!: RebuildAnswer | null;
}

export class ProjectionsAnswer {
  @ApiProperty({ type: ProjectionAnswer, isArray: true }) items!: ProjectionAnswer[];
}

export class RebuildAskedAnswer {
  @ApiProperty() projection!: string;
}

class RetentionLineAnswer {
  @ApiProperty() rule!: string;
  @ApiProperty() purpose!: string;
  @ApiProperty() basis!: string;
  @ApiProperty() trigger!: string;
  @ApiProperty({ description: 'ISO 8601 period; P0D where no law asks for one' }) minimum!: string;
  @ApiProperty({ description: 'ISO 8601 period' }) maximum!: string;
  @ApiPropertyOptional() law?: string;
  @ApiProperty({ description: 'A default that the controller has still to confirm' }) controllersChoice!: boolean;
}

export class DataMapRowAnswer {
  @ApiProperty() event!: string;
  @ApiProperty() field!: string;
  @WordField(['plain', 'subject', 'reference', 'personal']) kind!: string;
  @ApiProperty({ description: 'false: a fact about the business, and `why` says why it identifies nobody' })
  personal!: boolean;
  @ApiPropertyOptional() category?: string;
  @ApiPropertyOptional({ description: 'Whose key seals it: `own`, or another owner of the event' }) owner?: string;
  @ApiPropertyOptional() provenance?: string;
  @ApiProperty({ type: String, isArray: true }) purposes!: string[];
  @ApiPropertyOptional() basis?: string;
  @ApiProperty({ type: RetentionLineAnswer, isArray: true }) retention!: RetentionLineAnswer[];
  @ApiProperty({ type: String, isArray: true }) storedIn!: string[];
  @ApiPropertyOptional() why?: string;
}

export class DataMapAnswer {
  @ApiProperty() policyVersion!: string;
  @ApiProperty({ type: DataMapRowAnswer, isArray: true }) items!: DataMapRowAnswer[];
}

export class PolicyAnswer {
  @ApiProperty() version!: string;
  @ApiProperty({ description: 'Over the manifest’s text' }) sha256!: string;
  @ApiProperty({ allOf: [{ $ref: '#/components/schemas/PolicyManifest' }] }) manifest!: object;
}
