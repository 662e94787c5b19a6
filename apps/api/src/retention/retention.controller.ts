import { Body, Controller, Get, HttpCode, Param, Post } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { ApiAcceptedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { OwnerRef } from '#kernel';
import { Clock, MakulerError, osloDay } from '#kernel';
import { Ledger } from '#ledger';
import { ApproveSweep, BeginSweep, Due, Holdings, holdings, sweeps, SWEEPS_STREAM } from '#retention';
import { PersonalData } from '../access/personal-data.js';
import { Roles } from '../access/roles.js';
import { accepted, page, resource } from '../http/answers.js';
import { IdParam } from '../http/id-param.js';
import { ReadsFrom } from '../reads/reads-from.js';
import { holdingAnswer } from './holdings.controller.js';
import { DueAnswer } from './holdings.dto.js';
import { DrySweepAnswer, SweepAnswer, sweepAnswer, SweepApprovedAnswer, SweepBody } from './retention.dto.js';

/** No list of what is due shows more than this; the count says how much there is. */
const LONGEST_LIST = 500;

@ApiTags('retention')
@Roles('compliance')
@Controller('v1/retention')
export class RetentionController {
  constructor(
    private readonly commands: CommandBus,
    private readonly read: Holdings,
    private readonly due: Due,
    private readonly ledger: Ledger,
    private readonly clock: Clock,
  ) {}

  @Get('due')
  @PersonalData({ read: ['request'] })
  @ReadsFrom([holdings])
  @ApiOperation({
    summary: 'What falls due',
    description: `The first ${LONGEST_LIST}; the next sweep shreds all of it.`,
  })
  @ApiOkResponse({ type: DueAnswer })
  async falling() {
    const [items, about]: [object[], OwnerRef[]] = [[], []];
    for await (const { owner, holdings: rows } of this.read.all(osloDay(this.clock.now()))) {
      const whose = owner.kind === 'subject' ? { customerId: owner.id } : { companyId: owner.id };
      const expired = rows.filter(({ assessment }) => assessment.state === 'due');
      if (expired.length > 0) about.push(owner);
      items.push(...expired.map((row) => ({ ...whose, ...holdingAnswer(row) })));
      if (items.length >= LONGEST_LIST) break;
    }
    return page(items.slice(0, LONGEST_LIST), undefined, { about });
  }

  @Post('sweeps')
  @HttpCode(202)
  @ApiOperation({
    summary: 'Sweep now',
    description: 'What also runs every night; an unusually large one waits for an approval.',
  })
  @ApiAcceptedResponse({ type: SweepAnswer })
  @ApiOkResponse({ type: DrySweepAnswer, description: 'With `dryRun`' })
  async sweep(@Body() { asOf, dryRun }: SweepBody) {
    if (dryRun) {
      const { due, total, large } = await this.due.on(asOf ?? osloDay(this.clock.now()));
      return accepted({ dryRun: true, asOf: asOf ?? null, due: { ...due }, total, large }, { status: 200 });
    }
    if (asOf !== undefined) throw onlyDry();
    const { sweep, position } = await this.commands.execute(new BeginSweep());
    return accepted(sweepAnswer(sweep), { status: 202, position, location: `/v1/retention/sweeps/${sweep.sweepId}` });
  }

  @Get('sweeps/:id')
  @Roles('compliance', 'approver', 'auditor')
  @ApiOperation({ summary: 'A sweep, or the plan of one that waits' })
  @ApiOkResponse({ type: SweepAnswer })
  async one(@Param() { id }: IdParam) {
    const { state } = await this.ledger.load(sweeps, SWEEPS_STREAM);
    const sweep = state.all.get(id);
    if (!sweep) throw new MakulerError('not-found');
    return resource(sweepAnswer(sweep));
  }

  @Post('sweeps/:id/approve')
  @HttpCode(200)
  @Roles('approver')
  @ApiOperation({ summary: 'Approve a sweep that waits', description: 'Never by whoever began it.' })
  @ApiOkResponse({ type: SweepApprovedAnswer })
  async approve(@Param() { id }: IdParam) {
    const { position } = await this.commands.execute(new ApproveSweep(id));
    return accepted({ sweepId: id, state: 'approved' }, { position });
  }
}

const onlyDry = () =>
  new MakulerError('invalid-input', {
    errors: [
      {
        path: 'asOf',
        code: 'dry-run',
        message: 'give asOf with "dryRun": true only: nobody shreds on another day than today',
      },
    ],
  });
