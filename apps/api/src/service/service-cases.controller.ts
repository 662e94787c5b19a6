import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { CustomerId, ServiceCaseId } from '#kernel';
import type { ServiceCaseInput } from '#service';
import {
  AddServiceNote,
  AdvanceServiceCase,
  GetServiceCase,
  ListServiceCases,
  OpenServiceCase,
  serviceHistory,
  serviceStatus,
} from '#service';
import { PersonalData } from '../access/personal-data.js';
import { Roles } from '../access/roles.js';
import { accepted, page, resource } from '../http/answers.js';
import { decodeCursor, encodeCursor } from '../http/cursor.js';
import { IdParam } from '../http/id-param.js';
import { ListQuery } from '../http/list-query.js';
import { ReadsFrom } from '../reads/reads-from.js';
import {
  NoteBody,
  ServiceCaseAnswer,
  ServiceCaseBody,
  ServiceCasesQuery,
  ServiceCaseWrittenAnswer,
  ServiceStatusPageAnswer,
  TransitionAnswer,
  TransitionBody,
} from './service-case.dto.js';

@ApiTags('service')
@Roles('service-desk', 'compliance')
@Controller('v1')
export class ServiceCasesController {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
  ) {}

  @Post('service-cases')
  @Roles('integrator', 'service-desk')
  @PersonalData({ write: ['service'] })
  @ApiOperation({ summary: 'Open a service case' })
  @ApiCreatedResponse({ type: ServiceCaseWrittenAnswer })
  async open(@Body() body: ServiceCaseBody) {
    const { serviceCaseId, position } = await this.commands.execute(new OpenServiceCase(body as ServiceCaseInput));
    return accepted({ serviceCaseId }, { status: 201, position, location: `/v1/service-cases/${serviceCaseId}` });
  }

  @Post('service-cases/:id/transitions')
  @HttpCode(200)
  @Roles('service-desk')
  @PersonalData({ write: ['service'] })
  @ApiOperation({
    summary: 'Move a case on',
    description: 'An illegal status is answered with the legal ones in `allowed`.',
  })
  @ApiOkResponse({ type: TransitionAnswer })
  async advance(@Param() { id }: IdParam, @Body() { to }: TransitionBody) {
    const { position } = await this.commands.execute(new AdvanceServiceCase(id as ServiceCaseId, to));
    return accepted({ serviceCaseId: id, status: to }, { position });
  }

  @Post('service-cases/:id/notes')
  @Roles('service-desk')
  @PersonalData({ write: ['service'] })
  @ApiOperation({ summary: 'Write something down about a case' })
  @ApiCreatedResponse({ type: ServiceCaseWrittenAnswer })
  async addNote(@Param() { id }: IdParam, @Body() { text }: NoteBody) {
    const { position } = await this.commands.execute(new AddServiceNote(id as ServiceCaseId, text));
    return accepted({ serviceCaseId: id }, { status: 201, position, location: `/v1/service-cases/${id}` });
  }

  @Get('service-cases/:id')
  @PersonalData({ read: ['service'] })
  @ReadsFrom([serviceStatus, serviceHistory])
  @ApiOperation({ summary: 'One case: where it stands, and what happened' })
  @ApiOkResponse({ type: ServiceCaseAnswer })
  async one(@Param() { id }: IdParam) {
    const { status, history, about } = await this.queries.execute(new GetServiceCase(id as ServiceCaseId));
    return resource({ ...status, history }, { about });
  }

  @Get('service-cases')
  @PersonalData({ read: ['service'] })
  @ReadsFrom([serviceStatus])
  @ApiOperation({ summary: 'Cases, newest first' })
  @ApiOkResponse({ type: ServiceStatusPageAnswer })
  list(@Query() { status, limit, cursor }: ServiceCasesQuery) {
    return this.#page(status === undefined ? {} : { status }, limit, cursor);
  }

  @Get('customers/:id/service-cases')
  @PersonalData({ read: ['service'] })
  @ReadsFrom([serviceStatus])
  @ApiOperation({ summary: 'A customer’s cases, newest first' })
  @ApiOkResponse({ type: ServiceStatusPageAnswer })
  listOfCustomer(@Param() { id }: IdParam, @Query() { limit, cursor }: ListQuery) {
    return this.#page({ customerId: id as CustomerId }, limit, cursor);
  }

  async #page(filter: ListServiceCases['filter'], limit: number, cursor: string | undefined) {
    const [after] = decodeCursor(cursor, ['position']) ?? [];
    const query = new ListServiceCases(filter, limit, after);
    const { items, next, about } = await this.queries.execute(query);
    return page(items, next && encodeCursor(next), { about, columns: ['serviceCaseId', 'kind', 'itemType', 'status'] });
  }
}
