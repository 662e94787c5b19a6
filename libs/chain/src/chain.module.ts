import { Module } from '@nestjs/common';
import { CheckpointLogProcessor, CheckpointStretchesProcessor } from './checkpoint.job.js';
import { Checkpoints } from './checkpoints.js';

/** Checkpoints on demand. Needs from outside: EventStore, Ledger, CheckpointWitness, SigningKeys, Clock. */
@Module({ providers: [Checkpoints], exports: [Checkpoints] })
export class ChainModule {}

/** The hourly checkpoint, and those in between, in the workers. Needs from outside what ChainModule needs. */
@Module({ imports: [ChainModule], providers: [CheckpointLogProcessor, CheckpointStretchesProcessor] })
export class ChainWorkModule {}
