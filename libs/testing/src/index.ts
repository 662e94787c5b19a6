export * from './database.js';
export * from './event-store-double.js';
export * from './ledger-double.js';
export * from './state-after.js';
export * from './vault-double.js';
export * from './policy-of.js';
export * from './running-projections.js';
export * from './set-clock.js';
