import { Controller, Get, Query } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { AnalyticsSubject } from '#analytics';
import { GetFigures, analytics, columnsOf } from '#analytics';
import { Roles } from '../access/roles.js';
import { page } from '../http/answers.js';
import { ReadsFrom } from '../reads/reads-from.js';
import { FiguresAnswer, FiguresQuery } from './figures.dto.js';

/** Figures out of facts: nothing here is about a person, so no purpose is asked for. */
@ApiTags('analytics')
@Roles('analyst')
@Controller('v1/analytics')
export class AnalyticsController {
  constructor(private readonly queries: QueryBus) {}

  @Get('sales')
  @ReadsFrom([analytics])
  @ApiOperation({ summary: 'Sales by month, day, itemType, kind, region, sector, firstPurchase, currency' })
  @ApiOkResponse({ type: FiguresAnswer })
  sales(@Query() query: FiguresQuery) {
    return this.#figures('sales', query);
  }

  @Get('service')
  @ReadsFrom([analytics])
  @ApiOperation({ summary: 'Service cases by month (opened), kind, itemType, status' })
  @ApiOkResponse({ type: FiguresAnswer })
  service(@Query() query: FiguresQuery) {
    return this.#figures('service', query);
  }

  @Get('customers')
  @ReadsFrom([analytics])
  @ApiOperation({ summary: 'Persons who entered a relationship, by month, relationship, sector, region' })
  @ApiOkResponse({ type: FiguresAnswer })
  customers(@Query() query: FiguresQuery) {
    return this.#figures('customers', query);
  }

  async #figures(subject: AnalyticsSubject, { by = '', from, to }: FiguresQuery) {
    const dimensions = [...new Set(by.split(',').flatMap((name) => name.trim() || []))];
    const items = await this.queries.execute(new GetFigures(subject, { by: dimensions, from, to }));
    return page(items, undefined, { columns: columnsOf(subject, dimensions) });
  }
}
