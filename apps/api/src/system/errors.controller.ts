import { Controller, Get, Param } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { ErrorCode } from '#kernel';
import { ERRORS, MakulerError } from '#kernel';
import { Roles } from '../access/roles.js';
import { HTTP_STATUS } from '../http-status.js';
import { ErrorAnswer, ErrorsAnswer } from './system.dto.js';

/** What a problem document's `type` leads to. */
@ApiTags('system')
@Roles('public')
@Controller('errors')
export class ErrorsController {
  @Get()
  @ApiOkResponse({ type: ErrorsAnswer })
  all(): object {
    return { items: Object.keys(ERRORS).map((code) => explain(code as ErrorCode)) };
  }

  @Get(':code')
  @ApiOkResponse({ type: ErrorAnswer })
  one(@Param('code') code: string): object {
    if (!Object.hasOwn(ERRORS, code)) throw new MakulerError('not-found');
    return explain(code as ErrorCode);
  }
}

const explain = (code: ErrorCode) => ({ code, status: HTTP_STATUS[code], ...ERRORS[code] });
