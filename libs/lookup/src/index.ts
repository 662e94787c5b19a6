export * from './words.js';
export * from './lookup.js';
export { sourceWord } from './entries.js';
export * from './search-customers.js';
export * from './lookup.module.js';
