/** The entry point `#vault/operations`: only the libraries that run epochs, backups and certificates (and the mains that wire them) may import it. */
export * from './operations-contract.js';
export * from './client/grpc-operations.js';
export * from './archive-contract.js';
export * from './client/grpc-archive.js';
export * from './witness-contract.js';
export * from './client/grpc-witness.js';
export * from './recovery-contract.js';
export * from './client/grpc-recovery.js';
