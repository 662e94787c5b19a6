import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { AddressBody, CompanyBody } from '../companies/company.dto.js';
import {
  ADDRESS,
  IdField,
  OpenedField,
  PageOf,
  WarningAnswer,
  WarningsField,
  WordField,
} from '../http/answer-fields.js';
import { Choice, Id, Nested, Text } from '../http/fields.js';

/** Which fields must be there, and which may, the policy says; here is only their form. */
const given = { optional: true, nullable: true } as const;

export class CustomerAddressBody extends AddressBody {
  @Text({ ...given, min: 2, max: 2, description: 'ISO 3166-1 alpha-2; without it, the policy’s country' })
  country?: string | null;
}

/** What can be put right on a card. */
export class CustomerPatchBody {
  @Text({ ...given, max: 200 }) name?: string | null;
  @Text({ ...given, max: 40, description: 'With or without country code; kept in E.164' }) phone?: string | null;
  @Text({ ...given, max: 254 }) email?: string | null;
  @Id({ ...given, description: 'The company whose contact the person is' }) companyId?: string | null;
  @Nested(() => CustomerAddressBody, given) address?: CustomerAddressBody | null;
}

export class CustomerBody extends CustomerPatchBody {
  @Choice(['lead', 'customer']) relationship!: 'lead' | 'customer';
  @Nested(() => CompanyBody, { ...given, description: 'The company itself, in place of companyId' })
  company?: CompanyBody | null;
}

export class RelationshipBody {
  @Choice(['customer', 'ended']) relationship!: 'customer' | 'ended';
}

/** A customer's card. */
export class CustomerCardAnswer {
  @IdField() customerId!: string;
  @WordField(['lead', 'customer', 'ended']) relationship!: string;
  @OpenedField() name!: unknown;
  @OpenedField() phone!: unknown;
  @OpenedField() email!: unknown;
  @OpenedField({ schema: { type: 'string', format: 'uuid' } }) companyId!: unknown;
  @OpenedField({ schema: ADDRESS }) address!: unknown;
  @ApiProperty({ format: 'date-time' }) registeredAt!: string;
  @ApiProperty({ format: 'date-time' }) changedAt!: string;
}

/** Who was found; one page, never more. */
export class CustomersFoundAnswer extends PageOf(CustomerCardAnswer) {}

/** What putting a card right answers. */
export class CustomerRectifiedAnswer {
  @IdField() customerId!: string;
  @ApiProperty({ description: 'As in the ETag, without quotation marks' }) revision!: string;
  @WarningsField() warnings?: WarningAnswer[];
}

export class CustomerRegisteredAnswer extends CustomerRectifiedAnswer {
  @ApiPropertyOptional({ format: 'uuid', description: 'The company that came with the customer, or was named' })
  companyId?: string;
}

export class RelationshipAnswer {
  @IdField() customerId!: string;
  @WordField(['customer', 'ended']) relationship!: string;
  @ApiProperty({ description: 'As in the ETag, without quotation marks' }) revision!: string;
}
