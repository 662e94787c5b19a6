export * from './types.js';
export * from './ledger.js';
export * from './event-store.js';
export * from './event-store-db.js';
export * from './event-store-ledger.js';
export { eventStoreUrl, parseEventStoreUrl } from './event-store-url.js';
