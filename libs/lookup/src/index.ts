export * from './words.js';
export * from './lookup.js';
export * from './entries.js';
