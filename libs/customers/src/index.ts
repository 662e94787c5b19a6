export * from './customer.events.js';
export {
  customer,
  customerStream,
  noteActivity,
  openCustomerCard,
  requireBuyer,
  requireCustomer,
  type Activity,
  type Customer,
  type KnownCustomer,
  type OpenedCustomerCard,
} from './customer.js';
export { segmentOf, type CustomerChanges, type CustomerInput } from './customer-input.js';
export { employerOf } from './employer.js';
export { RegisterCustomer, type CustomerRegistration } from './register-customer.js';
export { RectifyCustomer, type CustomerRectification } from './rectify-customer.js';
export { ChangeRelationship } from './change-relationship.js';
export { GetCustomerCard, type CustomerCardView } from './customer-card.query.js';
export { customerCard } from './customer-card.projection.js';
export { CustomersModule } from './customers.module.js';
