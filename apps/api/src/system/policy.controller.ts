import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { declaredProjections } from '#composition';
import { EventRegistry, dataMapOf } from '#events';
import { Policy, renderDataMap } from '#policy';
import { Roles } from '../access/roles.js';
import { DataMapAnswer, PolicyAnswer } from './system.dto.js';

/** What we may store and why, for everybody who works with it. */
@ApiTags('policy')
@Roles('any')
@Controller('v1')
export class PolicyController {
  constructor(
    private readonly policy: Policy,
    private readonly registry: EventRegistry,
  ) {}

  /** The manifest in force. */
  @Get('policy')
  @ApiOkResponse({ type: PolicyAnswer })
  manifest(): object {
    return { version: this.policy.version, sha256: this.policy.contentHash, manifest: this.policy.manifest };
  }

  /** Every field that we store: category, purpose, basis, retention, where. */
  @Get('data-map')
  @ApiOkResponse({ type: DataMapAnswer })
  dataMap(): object {
    const readModels = declaredProjections().map(({ name, eventTypes }) => ({ table: name, events: eventTypes }));
    const items = renderDataMap(this.policy, dataMapOf(this.registry), readModels);
    return { policyVersion: this.policy.version, items };
  }
}
