export * from './access.events.js';
export * from './refusals.js';
export * from './traces.js';
