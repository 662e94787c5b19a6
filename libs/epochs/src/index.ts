export * from './epochs.events.js';
export { VAULT_LEDGER } from './sealed-epochs.js';
export { SealEpoch, type Sealing } from './seal-epoch.js';
export { GetEpochs, withOverdue, type EpochsView } from './epochs.query.js';
export { sealEpoch, SealEpochProcessor } from './seal-epoch.job.js';
export { destroyRoots, DestroyRootsProcessor } from './destroy-roots.job.js';
export { rootDestruction } from './root-destruction.process.js';
export { EpochsModule, EpochsWorkModule } from './epochs.module.js';
