import { Type } from 'class-transformer';
import { IsInt, IsOptional, IsString, Max, MaxLength, Min } from 'class-validator';
import { ApiPropertyOptional } from '@nestjs/swagger';

/** The query of every list; extend it with filters. */
export class ListQuery {
  @ApiPropertyOptional({ type: 'integer', minimum: 1, maximum: 500, default: 50 })
  @IsOptional()
  @Type(() => Number)
  @IsInt({ message: 'give a whole number from 1 to 500' })
  @Min(1, { message: 'give a whole number from 1 to 500' })
  @Max(500, { message: 'give a whole number from 1 to 500' })
  limit: number = 50;

  @ApiPropertyOptional({ description: 'nextCursor of the page before' })
  @IsOptional()
  @IsString({ message: 'give the nextCursor of an earlier answer, unchanged' })
  @MaxLength(500, { message: 'give the nextCursor of an earlier answer, unchanged' })
  cursor?: string;
}
