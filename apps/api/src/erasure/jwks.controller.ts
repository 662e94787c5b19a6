import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { SigningKeys } from '#signing';
import { Roles } from '../access/roles.js';
import { JwksAnswer } from './statements.dto.js';

/** The public keys that certificates and checkpoints are verified with; everybody may have them. */
@ApiTags('erasures')
@Roles('public')
@Controller('.well-known')
export class JwksController {
  constructor(private readonly keys: SigningKeys) {}

  @Get('jwks.json')
  @ApiOperation({ summary: 'Keys that verify certificates (RFC 7517)' })
  @ApiOkResponse({ type: JwksAnswer })
  published(): Promise<object> {
    return this.keys.published();
  }
}
