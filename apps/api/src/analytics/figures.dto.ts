import { ApiProperty } from '@nestjs/swagger';
import { CalendarDay, Text } from '../http/fields.js';

export class FiguresQuery {
  @Text({ max: 200, optional: true, description: 'What to group by, with commas between: month,itemType,…' })
  by?: string;
  @CalendarDay({ optional: true, description: 'First day, included' }) from?: string;
  @CalendarDay({ optional: true, description: 'Last day, included' }) to?: string;
}

/** Figures, one row for each group; groups that are too small are added up into one, with `mergedGroups` above 0. */
export class FiguresAnswer {
  @ApiProperty({
    type: 'array',
    items: {
      type: 'object',
      additionalProperties: { oneOf: [{ type: 'string' }, { type: 'number' }], nullable: true },
    },
  })
  items!: Record<string, string | number | null>[];
  @ApiProperty({ type: String, nullable: true }) nextCursor!: null;
}
