import { Body, Controller, Get, Param, Patch, Post } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { GetCompanyCard, RectifyCompany, RegisterCompany, companyCard } from '#companies';
import type { CompanyId } from '#kernel';
import { companyOwner } from '#kernel';
import { PersonalData } from '../access/personal-data.js';
import { Roles } from '../access/roles.js';
import { accepted, resource } from '../http/answers.js';
import { IfMatch } from '../http/etag.js';
import { IdParam } from '../http/id-param.js';
import { withWarnings } from '../http/warnings.js';
import { ReadsFrom } from '../reads/reads-from.js';
import { CompanyBody, CompanyCardAnswer, CompanyWrittenAnswer } from './company.dto.js';

@ApiTags('companies')
@Roles('integrator')
@Controller('v1/companies')
export class CompaniesController {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
  ) {}

  @Post()
  @PersonalData({ write: ['contact', 'invoice-contact'] })
  @ApiOperation({ summary: 'Register a company', description: 'All of it is sealed under the company’s own keys.' })
  @ApiCreatedResponse({ type: CompanyWrittenAnswer })
  async register(@Body() body: CompanyBody) {
    const { companyId, revision, position, warnings } = await this.commands.execute(new RegisterCompany(body));
    return accepted(
      { companyId, revision: revision.toString(), ...withWarnings(warnings) },
      { status: 201, position, revision, location: `/v1/companies/${companyId}` },
    );
  }

  @Get(':id')
  @PersonalData({ read: ['contact'], readAny: ['contact', 'invoice-contact'] })
  @ReadsFrom([companyCard])
  @ApiOperation({ summary: 'A company’s card' })
  @ApiOkResponse({ type: CompanyCardAnswer })
  async card(@Param() { id }: IdParam) {
    const companyId = id as CompanyId;
    const { card, revision } = await this.queries.execute(new GetCompanyCard(companyId));
    return resource(card, { revision, about: [companyOwner(companyId)] });
  }

  @Patch(':id')
  @PersonalData({ write: ['contact', 'invoice-contact', 'superseded'] })
  @ApiOperation({
    summary: 'Put a company’s card right',
    description: 'Only the fields that are given; null empties one.',
  })
  @ApiOkResponse({ type: CompanyWrittenAnswer })
  async rectify(@Param() { id }: IdParam, @IfMatch() expected: bigint, @Body() body: CompanyBody) {
    const command = new RectifyCompany(id as CompanyId, body, expected);
    const { revision, position, warnings } = await this.commands.execute(command);
    return accepted(
      { companyId: id, revision: revision.toString(), ...withWarnings(warnings) },
      { position, revision },
    );
  }
}
