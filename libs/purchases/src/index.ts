export * from './purchase.events.js';
export { purchase, purchaseStream, type Purchase } from './purchase.js';
