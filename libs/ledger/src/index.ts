export * from './types.js';
export * from './ledger.js';
export * from './event-store-ledger.js';
export * from './connection.js';
