import { Body, Controller, Get, HttpCode, Param, Post } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { ApiAcceptedResponse, ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { AddMirror, ApproveMirrorRetirement, GetMirrors, ProposeMirrorRetirement, RepairMirror } from '#epochs';
import { Roles } from '../access/roles.js';
import { accepted, page } from '../http/answers.js';
import {
  AddMirrorBody,
  mirrorAnswer,
  MirrorNamedAnswer,
  MirrorParam,
  MirrorsAnswer,
  RetirementAnswer,
} from './mirrors.dto.js';

@ApiTags('vault')
@Roles('operator')
@Controller('v1/vault/mirrors')
export class MirrorsController {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
  ) {}

  @Get()
  @Roles('operator', 'approver', 'auditor')
  @ApiOperation({ summary: 'The mirrors of the custodian, read now', description: 'Also behind a closed gate.' })
  @ApiOkResponse({ type: MirrorsAnswer })
  async all() {
    return page((await this.queries.execute(new GetMirrors())).map(mirrorAnswer), undefined);
  }

  @Post()
  @ApiOperation({
    summary: 'Add a mirror',
    description: 'It gets roots of its own, and from then on every destruction of roots waits for its confirmation.',
  })
  @ApiCreatedResponse({ type: MirrorNamedAnswer })
  async add(@Body() { place }: AddMirrorBody) {
    const { mirrorId, position } = await this.commands.execute(new AddMirror(place));
    return accepted({ mirrorId }, { status: 201, position });
  }

  @Post(':id/retirement')
  @HttpCode(202)
  @ApiOperation({
    summary: 'Propose that a mirror is waited for no more',
    description: 'For one that is gone for good. What it may still hold, nobody will confirm as destroyed.',
  })
  @ApiAcceptedResponse({ type: RetirementAnswer })
  async propose(@Param() { id }: MirrorParam) {
    const { position } = await this.commands.execute(new ProposeMirrorRetirement(id));
    return accepted({ mirrorId: id, state: 'proposed' }, { status: 202, position });
  }

  @Post(':id/retirement/approve')
  @HttpCode(200)
  @Roles('approver')
  @ApiOperation({ summary: 'Approve the retirement of a mirror', description: 'Never by whoever proposed it.' })
  @ApiOkResponse({ type: RetirementAnswer })
  async approve(@Param() { id }: MirrorParam) {
    const { position } = await this.commands.execute(new ApproveMirrorRetirement(id));
    return accepted({ mirrorId: id, state: 'retired' }, { position });
  }

  @Post(':id/repair')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Bring back a mirror that does not come back by itself',
    description:
      'One that is damaged or has a wrong root gets state and root anew; the journal of a fork is united with that of the others first, so nobody who was forgotten on either side comes back.',
  })
  @ApiOkResponse({ type: MirrorNamedAnswer })
  async repair(@Param() { id }: MirrorParam) {
    const { position } = await this.commands.execute(new RepairMirror(id));
    return accepted({ mirrorId: id }, { position });
  }
}
