import { Body, Controller, Get, Param, Post, Query } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { CustomerId, PurchaseId } from '#kernel';
import { GetPurchase, ListPurchases, RecordPurchase, purchaseHistory } from '#purchases';
import { PersonalData } from '../access/personal-data.js';
import { Roles } from '../access/roles.js';
import { accepted, page, resource } from '../http/answers.js';
import { decodeCursor, encodeCursor } from '../http/cursor.js';
import { IdParam } from '../http/id-param.js';
import { ListQuery } from '../http/list-query.js';
import { ReadsFrom } from '../reads/reads-from.js';
import {
  PurchaseAnswer,
  PurchaseBody,
  purchaseInputOf,
  PurchasePageAnswer,
  PurchaseRecordedAnswer,
} from './purchase.dto.js';

@ApiTags('purchases')
@Roles('service-desk', 'compliance')
@Controller('v1')
export class PurchasesController {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
  ) {}

  @Post('purchases')
  @Roles('integrator')
  @PersonalData({ write: ['purchase', 'billing'] })
  @ApiOperation({ summary: 'Record a purchase', description: 'The buyer is the customer’s company, if there is one.' })
  @ApiCreatedResponse({ type: PurchaseRecordedAnswer })
  async record(@Body() body: PurchaseBody) {
    const { purchaseId, position, notStored } = await this.commands.execute(new RecordPurchase(purchaseInputOf(body)));
    return accepted(
      { purchaseId, ...(notStored.length > 0 ? { notStored } : {}) },
      { status: 201, position, location: `/v1/purchases/${purchaseId}` },
    );
  }

  @Get('purchases/:id')
  @PersonalData({ readAny: ['purchase', 'billing'] })
  @ReadsFrom([purchaseHistory])
  @ApiOperation({ summary: 'One purchase' })
  @ApiOkResponse({ type: PurchaseAnswer })
  async one(@Param() { id }: IdParam) {
    const { purchase, about } = await this.queries.execute(new GetPurchase(id as PurchaseId));
    return resource(purchase, { about });
  }

  @Get('customers/:id/purchases')
  @PersonalData({ readAny: ['purchase', 'billing'] })
  @ReadsFrom([purchaseHistory])
  @ApiOperation({ summary: 'A customer’s purchases, newest first' })
  @ApiOkResponse({ type: PurchasePageAnswer })
  async list(@Param() { id }: IdParam, @Query() { limit, cursor }: ListQuery) {
    const given = decodeCursor(cursor, ['day', 'position']);
    const after = given && { day: given[0], position: given[1] };
    const { items, next, about } = await this.queries.execute(new ListPurchases(id as CustomerId, limit, after));
    return page(items, next && encodeCursor(next.day, next.position), { about, columns: ['purchaseId', 'day'] });
  }
}
