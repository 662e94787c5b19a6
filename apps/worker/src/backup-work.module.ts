import type { DynamicModule } from '@nestjs/common';
import { Module } from '@nestjs/common';
import { Backups, BACKUP_SETTINGS, Inventory, TakeBackupProcessor, WatchBackupsProcessor } from '#backup';
import { ChainModule } from '#chain';
import type { Parts } from '#composition';
import { PARTS } from '#composition';

/** Taking backups into a directory; without one the jobs do nothing. */
@Module({})
export class BackupWorkModule {
  static into(directory: string | undefined): DynamicModule {
    return {
      module: BackupWorkModule,
      imports: [ChainModule],
      providers: [
        {
          provide: BACKUP_SETTINGS,
          useFactory: ({ logger }: Parts) => ({ directory, warn: (warning: string) => logger.warn(warning) }),
          inject: [PARTS],
        },
        {
          provide: Inventory,
          useFactory: ({ control, operations, clock }: Parts) => new Inventory(control, operations, clock),
          inject: [PARTS],
        },
        {
          provide: Backups,
          useFactory: ({ store, archive: vault, control, clock }: Parts, inventory: Inventory) =>
            new Backups({ store, vault, control, clock, inventory }),
          inject: [PARTS, Inventory],
        },
        TakeBackupProcessor,
        WatchBackupsProcessor,
      ],
    };
  }
}
