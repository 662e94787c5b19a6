import { Module } from '@nestjs/common';
import type { Parts } from '#composition';
import { PARTS } from '#composition';
import { Health } from '#observability';
import { DocsController } from './docs.controller.js';
import { ErrorsController } from './errors.controller.js';
import { HealthController } from './health.controller.js';
import { ApiDocument } from './openapi.js';
import { PolicyController } from './policy.controller.js';
import { ProjectionsController } from './projections.controller.js';

/** What the api says about itself: health, documentation, errors, policy, data map, projections. */
@Module({
  controllers: [HealthController, ErrorsController, DocsController, PolicyController, ProjectionsController],
  providers: [ApiDocument, { provide: Health, useFactory: healthOf, inject: [PARTS] }],
  exports: [Health, ApiDocument],
})
export class SystemModule {}

/** What the api needs before it may be asked. A context adds its own part (an index that is warming): `health.register`. */
function healthOf(parts: Parts): Health {
  const { ledger, readModels, control } = parts;
  const health = new Health();
  health.register('event-store', async () => void (await ledger.head()));
  health.register('vault', () => gateOf(parts));
  health.register('read-models', async () => void (await readModels.query('select 1')));
  health.register('control-database', async () => void (await control.query('select 1')));
  return health;
}

/** A closed gate says which and what to do; an open one still needs the lease of this process. */
async function gateOf({ vault, recovery }: Parts): Promise<void | { because: string }> {
  const { serving, state, why, wayOut } = await recovery.gate();
  if (!serving) return { because: `${state}: ${why} ${wayOut}`.trim() };
  // An empty question still goes as far as the lease: it throws when the vault was lost sight of.
  vault.assertCurrent([]);
}
