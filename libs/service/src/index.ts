export * from './service-case.events.js';
export { serviceCase, serviceStream, type ServiceCase } from './service-case.js';
export type { ServiceCaseInput } from './service-input.js';
export { OpenServiceCase } from './open-service-case.js';
export { AdvanceServiceCase } from './advance-service-case.js';
export { AddServiceNote } from './add-service-note.js';
export {
  GetServiceCase,
  ListServiceCases,
  type ServiceHistoryEntry,
  type ServiceStatusPage,
  type ServiceStatusView,
} from './service-cases.query.js';
export { serviceStatus } from './service-status.projection.js';
export { serviceHistory } from './service-history.projection.js';
export { ServiceModule } from './service.module.js';
