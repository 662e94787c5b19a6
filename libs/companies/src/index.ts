export * from './company.events.js';
export * from './company.js';
