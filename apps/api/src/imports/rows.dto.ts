import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsObject, Matches } from 'class-validator';
import { applyDecorators } from '@nestjs/common';
import { WarningAnswer, WordField } from '../http/answer-fields.js';
import { Choice, Flag, ListOf, Text, WholeNumber } from '../http/fields.js';
import { IMPORT_KINDS } from './import-state.js';

const SOURCE = /^[a-z][a-z0-9-]{0,31}$/;

/** A record as the route for one of its kind takes it; checked by that route's own form, row by row. */
const RecordField = () =>
  applyDecorators(
    ApiProperty({ type: 'object', additionalProperties: true, description: 'The body of the route for one record' }),
    IsObject({ message: 'give an object' }),
  );

export class ImportRowBody {
  @WholeNumber({ min: 1, max: 2_147_483_647, description: 'Line in the file, for the results' }) line!: number;
  @Text({ max: 200, description: 'The source’s own key of the record' }) key!: string;
  @Text({ max: 200, optional: true, description: 'The source’s own key of the customer (purchases, service)' })
  customerKey?: string;
  @RecordField() record!: Record<string, unknown>;
}

export class ImportBody {
  @Matches(SOURCE, { message: 'give a name of lower-case letters, digits and hyphens, at most 32' })
  @ApiProperty({ pattern: SOURCE.source, example: 'webshop' })
  source!: string;
  @Flag({ optional: true, description: 'Check the rows and store none' }) dryRun?: boolean;
  @ListOf(() => ImportRowBody, { max: 500 }) rows!: ImportRowBody[];
}

export class ImportParams {
  @Choice(IMPORT_KINDS) kind!: (typeof IMPORT_KINDS)[number];
}

export class ImportRowAnswer {
  @ApiProperty({ type: 'integer' }) line!: number;
  @WordField(['created', 'present', 'rejected']) outcome!: string;
  @ApiPropertyOptional({ format: 'uuid' }) id?: string;
  @ApiPropertyOptional({ type: String, isArray: true, description: 'Codes of what was accepted with a doubt' })
  warnings?: string[];
  @ApiPropertyOptional({
    type: String,
    isArray: true,
    description: 'Categories past their maximum: counted, not stored',
  })
  notStored?: string[];
  @ApiPropertyOptional({ type: WarningAnswer, isArray: true, description: 'Why it was rejected' })
  errors?: WarningAnswer[];
}

export class ImportAnswer {
  @ApiProperty({ type: ImportRowAnswer, isArray: true, description: 'One for each row, in the order of the rows' })
  results!: ImportRowAnswer[];
}
