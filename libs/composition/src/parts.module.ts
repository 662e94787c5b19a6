import type { DynamicModule } from '@nestjs/common';
import { Module } from '@nestjs/common';
import { Kysely } from 'kysely';
import { EventRegistry } from '#events';
import { Clock } from '#kernel';
import { Metrics } from '#observability';
import { EventStore, Ledger } from '#ledger';
import { Policy } from '#policy';
import { createDatabase } from '#postgres';
import { SigningKeys } from '#signing';
import { Vault } from '#vault';
import { CheckpointWitness, VaultArchive, VaultOperations, VaultRecovery } from '#vault/operations';
import { Shredder } from '#vault/shredder';
import type { Parts } from './parts.js';

/** All parts at once, for factories: `inject: [PARTS]`. */
export const PARTS = Symbol('parts');
/** Tokens of the two pools: `@Inject(READ_MODELS) pool: Pool`. */
export const READ_MODELS = Symbol('read models');
export const CONTROL = Symbol('control database');
/** `@Inject(LOGGER) logger: Logger`. */
export const LOGGER = Symbol('logger');

/** Makes the parts injectable everywhere: Ledger, EventStore, Vault, Shredder, VaultOperations, VaultRecovery, CheckpointWitness, VaultArchive, SigningKeys, Policy, Clock, EventRegistry, Kysely (the read models), READ_MODELS, CONTROL, LOGGER, Metrics. */
@Module({})
export class PartsModule {
  static of(parts: Parts): DynamicModule {
    const providers = [
      { provide: PARTS, useValue: parts },
      { provide: Clock, useValue: parts.clock },
      { provide: Metrics, useValue: parts.metrics },
      { provide: Policy, useValue: parts.policy },
      { provide: EventRegistry, useValue: parts.registry },
      { provide: Vault, useValue: parts.vault },
      { provide: Shredder, useValue: parts.shredder },
      { provide: VaultOperations, useValue: parts.operations },
      { provide: VaultRecovery, useValue: parts.recovery },
      { provide: SigningKeys, useValue: new SigningKeys(parts.control) },
      { provide: CheckpointWitness, useValue: parts.witness },
      { provide: VaultArchive, useValue: parts.archive },
      { provide: Ledger, useValue: parts.ledger },
      { provide: EventStore, useValue: parts.store },
      // The database of the read models, as queries take it.
      { provide: Kysely, useValue: parts.readModels && createDatabase(parts.readModels) },
      { provide: READ_MODELS, useValue: parts.readModels },
      { provide: CONTROL, useValue: parts.control },
      { provide: LOGGER, useValue: parts.logger },
    ];
    return { module: PartsModule, global: true, providers, exports: providers };
  }
}
