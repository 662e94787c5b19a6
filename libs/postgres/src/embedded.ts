/** PostgreSQL as a child process, for the embedded profile. Apart from `#postgres`: only `makuler up` and tests start servers. */
export type { EmbeddedOptions, EmbeddedServer } from './embedded/server.js';
export { startEmbedded } from './embedded/server.js';
export type { OwnedDatabase, ReaderRole } from './embedded/databases.js';
export { ensureDatabases } from './embedded/databases.js';
export { findBinaries } from './embedded/binaries.js';
export type { Account } from './embedded/account.js';
export { accountFor } from './embedded/account.js';
