export * from './vault.js';
export type { VaultAddress } from './client/connection.js';
export { GrpcVault } from './client/grpc-vault.js';
export type { GrpcVaultOptions } from './client/grpc-vault.js';
export { askVaultStatus } from './client/vault-status.js';
export type { VaultReport } from './client/vault-status.js';
