import { Module } from '@nestjs/common';
import { Inventory } from '#backup';
import type { Parts } from '#composition';
import { PARTS } from '#composition';
import { BackupsController } from './backups.controller.js';

@Module({
  controllers: [BackupsController],
  providers: [
    {
      provide: Inventory,
      useFactory: ({ control, operations, clock }: Parts) => new Inventory(control, operations, clock),
      inject: [PARTS],
    },
  ],
})
export class BackupsRoutesModule {}
