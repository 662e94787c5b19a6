import { EventStoreDouble } from '#testing';
import { describeEventStorePort } from './event-store-port.suite.js';

describeEventStorePort('EventStoreDouble', async () => {
  const store = new EventStoreDouble();
  return { store, close: () => store.close() };
});
