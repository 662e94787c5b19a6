export * from './database.js';
export * from './ledger-double.js';
export * from './state-after.js';
