export * from './health.js';
export * from './lifecycle.js';
export * from './logger.js';
export * from './metric-names.js';
export * from './metrics.js';
export * from './metrics-server.js';
export * from './redaction.js';
export * from './tracing.js';
