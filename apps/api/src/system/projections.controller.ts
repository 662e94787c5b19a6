import { Controller, Get, HttpCode, Param, Post } from '@nestjs/common';
import { ApiAcceptedResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { Ledger } from '#ledger';
import { ProjectionStates } from '#projections';
import { Roles } from '../access/roles.js';
import type { Accepted, Answer } from '../http/answers.js';
import { accepted, resource } from '../http/answers.js';
import { ProjectionsAnswer, RebuildAskedAnswer } from './system.dto.js';

/** How far the read models are, and building one anew. */
@ApiTags('projections')
@Roles('operator')
@Controller('v1/projections')
export class ProjectionsController {
  constructor(
    private readonly states: ProjectionStates,
    private readonly ledger: Ledger,
  ) {}

  @Get()
  @ApiOkResponse({ type: ProjectionsAnswer })
  async list(): Promise<Answer> {
    return resource({ items: await this.states.list(await this.ledger.head()) });
  }

  /** Builds the tables beside the live ones and swaps; asking twice is asking once more. Progress: `GET /v1/projections`. */
  @Post(':name/rebuild')
  @HttpCode(202)
  @ApiAcceptedResponse({ type: RebuildAskedAnswer })
  async rebuild(@Param('name') name: string): Promise<Accepted> {
    await this.states.requestRebuild(name);
    return accepted({ projection: name }, { status: 202 });
  }
}
