import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { NullableText, PageOf, WordField } from '../http/answer-fields.js';

class DueRowAnswer {
  @ApiPropertyOptional({ format: 'uuid' }) customerId?: string;
  @ApiPropertyOptional({ format: 'uuid' }) companyId?: string;
  @ApiProperty() category!: string;
  @ApiProperty({ description: 'Which purchase, voucher, case, revision …; empty where there is one for the person' })
  partition!: string;
  @ApiProperty() purpose!: string;
  @ApiProperty() basis!: string;
  @ApiProperty({ format: 'date' }) since!: string;
  @ApiProperty({ format: 'date' }) lastOn!: string;
  @NullableText({ format: 'date', description: 'The last day kept; null while no period runs' })
  keepUntil!: string | null;
  @ApiProperty() state!: string;
  @ApiProperty({ description: 'The retention rule that gives the date' }) rule!: string;
  @NullableText() law!: string | null;
  @ApiProperty({ description: 'One sentence for people' }) why!: string;
}

/** What falls due, the first five hundred. */
export class DueAnswer extends PageOf(DueRowAnswer) {}

/** One scope that has a key, or how many of a category have none any more (`shredded`: then only `count` is said of it). */
class HoldingAnswer {
  @ApiProperty() category!: string;
  @WordField(['active', 'restricted', 'retained', 'deferred', 'held', 'due', 'shredded']) state!: string;
  @ApiPropertyOptional({ type: 'integer', description: 'With `shredded`: how many' }) count?: number;
  @ApiPropertyOptional() partition?: string;
  @ApiPropertyOptional() purpose?: string;
  @ApiPropertyOptional() basis?: string;
  @ApiPropertyOptional({ format: 'date' }) since?: string;
  @ApiPropertyOptional({ format: 'date' }) lastOn?: string;
  @ApiPropertyOptional({ type: String, format: 'date', nullable: true }) keepUntil?: string | null;
  @ApiPropertyOptional() rule?: string;
  @ApiPropertyOptional({ type: String, nullable: true }) law?: string | null;
  @ApiPropertyOptional() why?: string;
}

export class HoldingsAnswer extends PageOf(HoldingAnswer) {}
