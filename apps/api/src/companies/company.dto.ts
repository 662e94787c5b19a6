import { ApiProperty } from '@nestjs/swagger';
import { ADDRESS, IdField, OpenedField, WarningAnswer, WarningsField } from '../http/answer-fields.js';
import { Nested, Text } from '../http/fields.js';

/** Which fields must be there, the policy says; here is only their form. */
const given = { optional: true, nullable: true } as const;

export class AddressBody {
  @Text({ ...given, max: 200 }) street?: string | null;
  @Text({ ...given, max: 16, description: 'Text: leading zeros count' }) postalCode?: string | null;
  @Text({ ...given, max: 100 }) city?: string | null;
}

export class CompanyBody {
  @Text({ ...given, max: 200 }) name?: string | null;
  @Text({ ...given, max: 40, description: 'Nine digits, with or without spaces; other countries as they write it' })
  organisationNumber?: string | null;
  @Text({ ...given, min: 2, max: 2, description: 'ISO 3166-1 alpha-2; without it, the policy’s country' })
  country?: string | null;
  @Text({ ...given, max: 60, description: 'As the register codes it (AS, ENK …); ENK and unknown count as a person' })
  legalForm?: string | null;
  @Nested(() => AddressBody, given) address?: AddressBody | null;
  @Text({ ...given, max: 254 }) invoiceEmail?: string | null;
}

/** A company's card. */
export class CompanyCardAnswer {
  @IdField() companyId!: string;
  @OpenedField() name!: unknown;
  @OpenedField() organisationNumber!: unknown;
  @OpenedField() country!: unknown;
  @OpenedField() legalForm!: unknown;
  @OpenedField({ schema: ADDRESS }) address!: unknown;
  @OpenedField() invoiceEmail!: unknown;
  @ApiProperty({ format: 'date-time' }) registeredAt!: string;
  @ApiProperty({ format: 'date-time' }) changedAt!: string;
}

/** What registering a company, or putting its card right, answers. */
export class CompanyWrittenAnswer {
  @IdField() companyId!: string;
  @ApiProperty({ description: 'As in the ETag, without quotation marks' }) revision!: string;
  @WarningsField() warnings?: WarningAnswer[];
}
