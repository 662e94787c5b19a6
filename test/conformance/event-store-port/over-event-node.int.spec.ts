import { EventStoreDb } from '#ledger';
import { anEvent, clientOf } from '../event-store/connection.js';
import { startOwnNode } from '../event-store/event-node.js';
import { describeEventStorePort } from './event-store-port.suite.js';

describeEventStorePort('EventStoreDb over the event node', async () => {
  const node = await startOwnNode();
  const { username, password } = node.credentials;
  const user = `${encodeURIComponent(username)}:${encodeURIComponent(password)}@`;
  const store = new EventStoreDb(node.connectionString.replace('esdb://', `esdb://${user}`));
  const client = clientOf(node);
  return {
    store,
    systemEvent: async () => void (await client.appendToStream('anything', [anEvent('$happened')])),
    async close() {
      await store.close();
      await client.dispose();
      await node.close();
    },
  };
});
