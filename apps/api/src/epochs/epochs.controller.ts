import { Body, Controller, Get, Post } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { GetEpochs, SealEpoch } from '#epochs';
import { Roles } from '../access/roles.js';
import { accepted, resource } from '../http/answers.js';
import { EpochsAnswer, SealAnswer, SealBody } from './epochs.dto.js';

@ApiTags('vault')
@Roles('operator')
@Controller('v1/vault/epochs')
export class EpochsController {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
  ) {}

  @Post()
  @ApiOperation({
    summary: 'Seal the epoch now',
    description:
      'What also happens by itself every day. Answers when it is done: 201, or 200 when there was nothing to seal.',
  })
  @ApiCreatedResponse({ type: SealAnswer })
  @ApiOkResponse({ type: SealAnswer, description: 'Nothing was shredded since the last seal' })
  async seal(@Body() { force }: SealBody) {
    const sealing = await this.commands.execute(new SealEpoch(force ?? false));
    const { epoch, sealed, rotated, rewrapped, destroyAt = null, position } = sealing;
    return accepted(
      { epoch, sealed, rotated, rewrapped, destroyAt },
      { status: sealed ? 201 : 200, ...(position === undefined ? {} : { position }) },
    );
  }

  @Get()
  @Roles('operator', 'auditor')
  @ApiOperation({ summary: 'The epochs: the one in force, those whose roots are still to be destroyed, the next seal' })
  @ApiOkResponse({ type: EpochsAnswer })
  async all() {
    return resource(await this.queries.execute(new GetEpochs()));
  }
}
