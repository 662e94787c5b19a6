export * from './health.js';
export * from './lifecycle.js';
export * from './logger.js';
export * from './redaction.js';
