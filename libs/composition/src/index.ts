export * from './connect.js';
export { outcomeOf } from './part-metrics.js';
export * from './parts.js';
export * from './parts.module.js';
export * from './registry.js';
export * from './settings.js';
