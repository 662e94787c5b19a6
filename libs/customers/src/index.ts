export * from './customer.events.js';
export {
  customer,
  customerStream,
  type Activity,
  type Customer,
  type KnownCustomer,
  type OpenedCustomerCard,
} from './customer.js';
