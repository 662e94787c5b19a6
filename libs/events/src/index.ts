export * from './categories.js';
export * from './event.js';
export * from './registry.js';
export * from './forgetting.events.js';
