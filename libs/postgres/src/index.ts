export * from './durable.js';
export * from './errors.js';
export * from './migrate.js';
export * from './pool.js';
export * from './table-rows.js';
