import { Controller, Get, HttpCode, Post } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Clock } from '#kernel';
import { ClockGuard } from '#retention';
import { Roles } from '../access/roles.js';
import { accepted, resource } from '../http/answers.js';
import { WhateverTheClock } from './clock.guard.js';
import { ClockAnswer } from './retention.dto.js';

@ApiTags('system')
@Roles('operator')
@Controller('v1/clock')
export class ClockController {
  constructor(
    private readonly guard: ClockGuard,
    private readonly clock: Clock,
  ) {}

  @Get()
  @ApiOperation({ summary: 'What the clock says, and whether it is trusted' })
  @ApiOkResponse({ type: ClockAnswer })
  async state() {
    return resource({ now: this.clock.now().toISOString(), state: await this.guard.state() });
  }

  @Post('confirm')
  @HttpCode(200)
  @WhateverTheClock()
  @ApiOperation({ summary: 'Say that the clock is right', description: 'Sweeps go on, and commands are taken again.' })
  @ApiOkResponse({ type: ClockAnswer })
  async confirm() {
    const position = await this.guard.confirm();
    return accepted({ now: this.clock.now().toISOString(), state: 'plausible' }, { position });
  }
}
