import { Body, Controller, Get, HttpCode, Param, Patch, Post } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { CustomerChanges, CustomerInput } from '#customers';
import { ChangeRelationship, GetCustomerCard, RectifyCustomer, RegisterCustomer, customerCard } from '#customers';
import type { CustomerId } from '#kernel';
import { subjectOwner } from '#kernel';
import { PersonalData } from '../access/personal-data.js';
import { Roles } from '../access/roles.js';
import { accepted, resource } from '../http/answers.js';
import { IfMatch } from '../http/etag.js';
import { IdParam } from '../http/id-param.js';
import { withWarnings } from '../http/warnings.js';
import { ReadsFrom } from '../reads/reads-from.js';
import {
  CustomerBody,
  CustomerCardAnswer,
  CustomerPatchBody,
  CustomerRectifiedAnswer,
  CustomerRegisteredAnswer,
  RelationshipAnswer,
  RelationshipBody,
} from './customer.dto.js';

@ApiTags('customers')
@Roles('integrator', 'service-desk', 'compliance')
@Controller('v1/customers')
export class CustomersController {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
  ) {}

  @Post()
  @Roles('integrator')
  @PersonalData({ write: ['contact'] })
  @ApiOperation({ summary: 'Register a lead or customer', description: 'With companyId, or the company itself.' })
  @ApiCreatedResponse({ type: CustomerRegisteredAnswer })
  async register(@Body() body: CustomerBody) {
    const command = new RegisterCustomer(body as CustomerInput);
    const { customerId, companyId, revision, position, warnings } = await this.commands.execute(command);
    return accepted(
      { customerId, revision: revision.toString(), ...(companyId ? { companyId } : {}), ...withWarnings(warnings) },
      { status: 201, position, revision, location: `/v1/customers/${customerId}` },
    );
  }

  @Get(':id')
  @PersonalData({ read: ['contact'] })
  @ReadsFrom([customerCard])
  @ApiOperation({ summary: 'A customer’s card' })
  @ApiOkResponse({ type: CustomerCardAnswer })
  async card(@Param() { id }: IdParam) {
    const customerId = id as CustomerId;
    const { card, revision } = await this.queries.execute(new GetCustomerCard(customerId));
    return resource(card, { revision, about: [subjectOwner(customerId)] });
  }

  @Patch(':id')
  @PersonalData({ write: ['contact', 'superseded'] })
  @ApiOperation({ summary: 'Put a card right', description: 'Only the fields that are given; null empties one.' })
  @ApiOkResponse({ type: CustomerRectifiedAnswer })
  async rectify(@Param() { id }: IdParam, @IfMatch() expected: bigint, @Body() body: CustomerPatchBody) {
    const command = new RectifyCustomer(id as CustomerId, body as CustomerChanges, expected);
    const { revision, position, warnings } = await this.commands.execute(command);
    return accepted(
      { customerId: id, revision: revision.toString(), ...withWarnings(warnings) },
      { position, revision },
    );
  }

  @Post(':id/relationship')
  @HttpCode(200)
  @PersonalData({ write: ['contact'] })
  @ApiOperation({ summary: 'A lead becomes a customer, or a relationship ends' })
  @ApiOkResponse({ type: RelationshipAnswer })
  async changeRelationship(@Param() { id }: IdParam, @Body() { relationship }: RelationshipBody) {
    const command = new ChangeRelationship(id as CustomerId, relationship);
    const { revision, position } = await this.commands.execute(command);
    return accepted({ customerId: id, relationship, revision: revision.toString() }, { position, revision });
  }
}
