export * from './service-case.events.js';
export { serviceCase, serviceStream, type ServiceCase } from './service-case.js';
