import { Controller, Get, Res } from '@nestjs/common';
import { ApiOkResponse, ApiServiceUnavailableResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Health } from '#observability';
import { Roles } from '../access/roles.js';
import { LiveAnswer, ReadyAnswer } from './system.dto.js';

/** For whoever watches the process. Names parts and codes only, so it needs no token. */
@ApiTags('system')
@Roles('public')
@Controller('health')
export class HealthController {
  constructor(private readonly health: Health) {}

  /** The process runs. Asks nobody: a part that is away is no reason to restart this one. */
  @Get('live')
  @ApiOkResponse({ type: LiveAnswer })
  live(): object {
    return { status: 'live' };
  }

  /** 200 when requests can be answered, otherwise 503; either way with what each part says. */
  @Get('ready')
  @ApiOkResponse({ type: ReadyAnswer })
  @ApiServiceUnavailableResponse({ type: ReadyAnswer, description: 'What is not ready' })
  async ready(@Res({ passthrough: true }) reply: FastifyReply): Promise<object> {
    const report = await this.health.report();
    void reply.code(report.ready ? 200 : 503);
    return report;
  }
}
