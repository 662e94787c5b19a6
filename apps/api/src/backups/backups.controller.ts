import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { backupWarnings, Inventory, viewOf } from '#backup';
import { Clock } from '#kernel';
import { Roles } from '../access/roles.js';
import { resource } from '../http/answers.js';
import { BackupsAnswer } from './backups.dto.js';

@ApiTags('vault')
@Controller('v1/backups')
export class BackupsController {
  constructor(
    private readonly inventory: Inventory,
    private readonly clock: Clock,
  ) {}

  @Get()
  @Roles('operator', 'auditor')
  @ApiOperation({
    summary: 'The backup sets that were taken, the latest first, and until when each can be restored',
    description:
      'A set dies with the roots of its epoch, wherever it lies. Sets are taken by `makuler backup` and every night.',
  })
  @ApiOkResponse({ type: BackupsAnswer })
  async all() {
    const sets = await this.inventory.list();
    return resource({ items: sets.map(viewOf), warnings: backupWarnings(sets, this.clock.now()) });
  }
}
