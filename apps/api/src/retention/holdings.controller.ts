import { Controller, Get, Param } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { CompanyId, CustomerId, OwnerRef } from '#kernel';
import { Clock, companyOwner, MakulerError, osloDay, subjectOwner } from '#kernel';
import type { AssessedHolding } from '#retention';
import { Holdings, holdings } from '#retention';
import { PersonalData } from '../access/personal-data.js';
import { Roles } from '../access/roles.js';
import { page } from '../http/answers.js';
import { IdParam } from '../http/id-param.js';
import { ReadsFrom } from '../reads/reads-from.js';
import { HoldingsAnswer } from './holdings.dto.js';

const COLUMNS = [
  'category',
  'partition',
  'purpose',
  'basis',
  'since',
  'lastOn',
  'keepUntil',
  'state',
  'rule',
  'law',
  'why',
];

/** What we hold on somebody, why, and until when. */
@ApiTags('retention')
@Roles('compliance')
@Controller('v1')
export class HoldingsController {
  constructor(
    private readonly read: Holdings,
    private readonly clock: Clock,
  ) {}

  @Get('customers/:id/holdings')
  @PersonalData({ read: ['request'] })
  @ReadsFrom([holdings])
  @ApiOperation({ summary: 'What we hold on a person: a row for each scope that has a key' })
  @ApiOkResponse({ type: HoldingsAnswer })
  ofCustomer(@Param() { id }: IdParam) {
    return this.#of(subjectOwner(id as CustomerId));
  }

  @Get('companies/:id/holdings')
  @PersonalData({ read: ['request'] })
  @ReadsFrom([holdings])
  @ApiOperation({ summary: 'What we hold on a company' })
  @ApiOkResponse({ type: HoldingsAnswer })
  ofCompany(@Param() { id }: IdParam) {
    return this.#of(companyOwner(id as CompanyId));
  }

  async #of(owner: OwnerRef) {
    const rows = await this.read.ofOwner(owner, osloDay(this.clock.now()));
    const shredded = Object.entries(await this.read.shreddedOf(owner));
    // Of somebody who was never known there is nothing to trace: the trace would be the first key under that id.
    if (rows.length === 0 && shredded.length === 0) throw new MakulerError('not-found');
    const gone = shredded.map(([category, count]) => ({ category, state: 'shredded', count }));
    return page([...rows.map(holdingAnswer), ...gone], undefined, { about: [owner], columns: COLUMNS });
  }
}

/** One row for people: `keepUntil` is the last day on which it is kept; null while no period runs. */
export const holdingAnswer = ({ holding, assessment }: AssessedHolding) => ({
  category: holding.category,
  partition: holding.partition,
  purpose: assessment.purpose,
  basis: assessment.basis,
  since: holding.since,
  lastOn: holding.last_on,
  keepUntil: assessment.keepUntil,
  state: assessment.state,
  rule: assessment.rule,
  law: assessment.law ?? null,
  why: assessment.why,
});
