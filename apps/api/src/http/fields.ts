import { applyDecorators } from '@nestjs/common';
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Transform, Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  IsArray,
  IsBoolean,
  IsIn,
  IsInt,
  IsObject,
  IsOptional,
  IsString,
  Matches,
  Max,
  MaxLength,
  Min,
  MinLength,
  ValidateBy,
  ValidateIf,
  ValidateNested,
} from 'class-validator';
import type { ClassConstructor } from 'class-transformer';

/** One decorator for each field of a DTO says all about it: how it is checked, and how the OpenAPI document shows it. */
interface FieldOptions {
  readonly optional?: boolean;
  /** The field may be null, which takes the value away (PATCH). */
  readonly nullable?: boolean;
  readonly description?: string;
}

const field = (options: FieldOptions, schema: object, ...checks: PropertyDecorator[]): PropertyDecorator => {
  const { optional, nullable, description } = options;
  const shown = { ...schema, ...(description ? { description } : {}), ...(nullable ? { nullable: true } : {}) };
  return applyDecorators(
    optional ? ApiPropertyOptional(shown) : ApiProperty(shown),
    // `IsOptional` lets null through as well; a field that is not nullable has to refuse it.
    ...(optional && nullable ? [IsOptional()] : []),
    ...(optional && !nullable ? [ValidateIf((_, value) => value !== undefined)] : []),
    ...(!optional && nullable ? [ValidateIf((_, value) => value !== null)] : []),
    ...checks,
  );
};

/** Text of `min` (1) to `max` characters, white space around it taken off, no control characters but line ends, no half surrogate pairs. */
export const Text = ({ min = 1, max, ...options }: FieldOptions & { min?: number; max: number }): PropertyDecorator => {
  const message = `give text of ${min} to ${max} characters`;
  return field(
    options,
    { type: 'string', minLength: min, maxLength: max },
    Transform(({ value }) => (typeof value === 'string' ? value.trim() : (value as unknown))),
    IsString({ message }),
    MinLength(min, { message }),
    MaxLength(max, { message }),
    // eslint-disable-next-line no-control-regex -- control characters are what is refused
    Matches(/^[^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\p{Surrogate}]*$/u, {
      message: 'take control characters and broken characters out',
    }),
  );
};

const matching = (
  options: FieldOptions,
  format: string | undefined,
  pattern: RegExp,
  message: string,
  example: string,
) =>
  field(
    options,
    { type: 'string', ...(format ? { format } : { pattern: pattern.source }), example },
    IsString({ message }),
    Matches(pattern, { message }),
  );

/** A random id of ours: UUIDv7, lower case. */
export const Id = (options: FieldOptions = {}): PropertyDecorator =>
  matching(
    options,
    'uuid',
    /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    'give an id as an earlier answer gave it',
    '01938e2b-7c1a-7b3e-9f00-2a5d1c3e4f60',
  );

/** The random id of a mirror of the custodian: a UUID that the vault made. */
export const MirrorId = (options: FieldOptions = {}): PropertyDecorator =>
  matching(
    options,
    'uuid',
    /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
    'give an id as the list of mirrors gives it',
    '5f0c1d1e-52c8-4b3a-9f57-0f6f7c1f7a10',
  );

/** A calendar day in Europe/Oslo, `YYYY-MM-DD`. */
export const CalendarDay = (options: FieldOptions = {}): PropertyDecorator =>
  field(
    options,
    { type: 'string', format: 'date', example: '2026-03-10' },
    ValidateBy(
      { name: 'calendarDay', validator: { validate: isCalendarDay } },
      { message: 'give a day of the calendar as YYYY-MM-DD' },
    ),
  );

/** Whether a text is a day that the calendar has, `YYYY-MM-DD`. */
const isCalendarDay = (value: unknown): boolean => {
  if (typeof value !== 'string' || !/^\d{4}-\d{2}-\d{2}$/.test(value)) return false;
  const instant = new Date(`${value}T00:00:00Z`);
  return !Number.isNaN(instant.getTime()) && instant.toISOString().startsWith(value);
};

/** A decimal number as text, `digits` (2) after the point at most: money and quantities are never floating point. */
export const Decimal = ({
  digits = 2,
  signed = false,
  ...options
}: FieldOptions & { digits?: number; signed?: boolean } = {}): PropertyDecorator =>
  matching(
    options,
    undefined,
    new RegExp(`^${signed ? '-?' : ''}\\d{1,12}(?:\\.\\d{1,${digits}})?$`),
    `give a decimal number as text, with a point and at most ${digits} digits after it`,
    '1234.50',
  );

/** An ISO 4217 currency code. */
export const Currency = (options: FieldOptions = {}): PropertyDecorator =>
  matching(options, undefined, /^[A-Z]{3}$/, 'give a currency code of three capital letters', 'NOK');

/** One of a closed list of words. */
export const Choice = (values: readonly string[], options: FieldOptions = {}): PropertyDecorator =>
  field(options, { enum: [...values] }, IsIn(values, { message: `give one of ${values.join(', ')}` }));

/** A whole number from `min` to `max`. */
export const WholeNumber = ({
  min,
  max,
  ...options
}: FieldOptions & { min: number; max: number }): PropertyDecorator => {
  const message = `give a whole number from ${min} to ${max}`;
  return field(
    options,
    { type: 'integer', minimum: min, maximum: max },
    IsInt({ message }),
    Min(min, { message }),
    Max(max, { message }),
  );
};

export const Flag = (options: FieldOptions = {}): PropertyDecorator =>
  field(options, { type: 'boolean' }, IsBoolean({ message: 'give true or false' }));

/** Nest's OpenAPI module tells a function that gives a class from a class by its name being `type`. */
const lazily = (of: () => ClassConstructor<object>): (() => ClassConstructor<object>) => ({ type: () => of() }).type;

/** An object of its own kind. */
export const Nested = (type: () => ClassConstructor<object>, options: FieldOptions = {}): PropertyDecorator =>
  field(options, { type: lazily(type) }, IsObject({ message: 'give an object' }), ValidateNested(), Type(type));

/** A list of objects, `min` (1) to `max` of them. */
export const ListOf = (
  type: () => ClassConstructor<object>,
  { min = 1, max, ...options }: FieldOptions & { min?: number; max: number },
): PropertyDecorator => {
  const message = `give a list of ${min} to ${max}`;
  return field(
    options,
    { type: lazily(type), isArray: true, minItems: min, maxItems: max },
    IsArray({ message }),
    ArrayMinSize(min, { message }),
    ArrayMaxSize(max, { message }),
    ValidateNested({ each: true, message: 'give objects' }),
    Type(type),
  );
};
