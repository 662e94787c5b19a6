import type { Type } from '@nestjs/common';
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';

/** What stands in place of a personal value that is not there to be read; `Gone` in the OpenAPI document. */
export const GONE = {
  oneOf: [
    {
      type: 'object' as const,
      description: 'Its key was destroyed (`erased`), or a disaster took it (`lost`): nobody can read it again',
      additionalProperties: false,
      required: ['$state'],
      properties: { $state: { type: 'string' as const, enum: ['erased', 'lost'] } },
    },
    {
      type: 'object' as const,
      description: 'It is there, and this reader may not have it, or not for this purpose',
      additionalProperties: false,
      required: ['$state', 'reason'],
      properties: {
        $state: { type: 'string' as const, enum: ['withheld'] },
        reason: { type: 'string' as const, enum: ['retained', 'restricted', 'expired', 'not-allowed'] },
      },
    },
  ],
};

/** A personal field of an answer: its value (of `schema`, text by default), null, or what became of it. */
export const OpenedField = (
  options: { description?: string; schema?: object; required?: boolean } = {},
): PropertyDecorator =>
  ApiProperty({
    anyOf: [options.schema ?? { type: 'string' }, { $ref: '#/components/schemas/Gone' }],
    nullable: true,
    required: options.required ?? true,
    ...(options.description ? { description: options.description } : {}),
  } as Parameters<typeof ApiProperty>[0] & object);

/** A postal address as it is stored, for `OpenedField`: parts that the policy does not ask for are left out. */
export const ADDRESS = {
  type: 'object',
  properties: Object.fromEntries(
    ['street', 'postalCode', 'city', 'country'].map((part) => [part, { type: 'string', nullable: true }]),
  ),
} as const;

/** A random id, in an answer. */
export const IdField = (description?: string): PropertyDecorator =>
  ApiProperty({ type: String, format: 'uuid', ...(description ? { description } : {}) });

/** One word of a closed list, in an answer. */
export const WordField = (words: readonly string[], description?: string): PropertyDecorator =>
  ApiProperty({ type: String, enum: [...words], ...(description ? { description } : {}) });

/** Text in an answer that may be missing: `null`, and never left out. */
export const NullableText = (
  options: { format?: 'date' | 'date-time'; description?: string } = {},
): PropertyDecorator => ApiProperty({ type: String, nullable: true, ...options });

/** How many, by category. */
export const CountsField = (description: string): PropertyDecorator =>
  ApiProperty({ type: 'object', additionalProperties: { type: 'integer' }, description });

/** A class whose `items` and `nextCursor` are a page of a list; extend it to give the page a name in the document. */
export const PageOf = <T extends object>(item: Type<T>) => {
  abstract class Page {
    @ApiProperty({ type: item, isArray: true })
    items!: readonly T[];
    @NullableText({ description: 'The `cursor` of the next page; null on the last' })
    nextCursor!: string | null;
  }
  return Page;
};

/** Something that was stored all the same but is odd; or one problem of the input. Never the value itself. */
export class WarningAnswer {
  @ApiProperty() path!: string;
  @ApiProperty() code!: string;
  @ApiProperty() message!: string;
}

/** `warnings` of a command's answer: left out where there are none. */
export const WarningsField = (): PropertyDecorator =>
  ApiPropertyOptional({ type: WarningAnswer, isArray: true, description: 'What was stored and found odd' });
