import { Body, Controller, HttpCode, Param, Post } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ApproveLosses, FindLosses } from '#recovery';
import { Roles } from '../access/roles.js';
import { accepted } from '../http/answers.js';
import { IdParam } from '../http/id-param.js';
import { LossAnswer, lossAnswer, LossApprovalBody } from './losses.dto.js';

@ApiTags('vault')
@Controller('v1/vault/losses')
export class LossesController {
  constructor(private readonly commands: CommandBus) {}

  @Post()
  @Roles('operator')
  @ApiOperation({
    summary: 'Find what is lost while the gate is closed',
    description:
      'Reads the whole log, and changes nothing. For when no backup would do: what is named here reads as lost, never as erased, once it is approved.',
  })
  @ApiCreatedResponse({ type: LossAnswer })
  async find() {
    const { loss, position } = await this.commands.execute(new FindLosses());
    return accepted(lossAnswer(loss), { status: 201, position });
  }

  @Post(':id/approve')
  @HttpCode(200)
  @Roles('approver')
  @ApiOperation({
    summary: 'Approve a loss',
    description: 'Never by whoever found it. The gate opens, if nothing else keeps it closed.',
  })
  @ApiOkResponse({ type: LossAnswer })
  async approve(@Param() { id }: IdParam, @Body() { hash }: LossApprovalBody) {
    const { loss, position } = await this.commands.execute(new ApproveLosses(id, hash));
    return accepted(lossAnswer(loss), { position });
  }
}
