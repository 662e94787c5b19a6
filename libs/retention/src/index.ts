export * from './reading-rules.js';
