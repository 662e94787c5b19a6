import type { Server } from './connection.js';
import { describeEventStore } from './suite.js';

/** Any server: `EVENTSTORE_URL=esdb://admin:changeit@host:2113?tls=false npm run test:event-store`. Not part of `npm test`. */
const given = process.env['EVENTSTORE_URL'];

const connect = async (): Promise<Server> => {
  const [, user, password, rest] = /^esdb:\/\/(?:([^:@/]+):([^@]*)@)?(.*)$/.exec(given ?? '') ?? [];
  return {
    connectionString: `esdb://${rest}`,
    credentials: {
      username: decodeURIComponent(user ?? 'admin'),
      password: decodeURIComponent(password ?? 'changeit'),
    },
    close: async () => {},
  };
};

if (!given) throw new Error('name the server in EVENTSTORE_URL');
describeEventStore('the server in EVENTSTORE_URL', connect, { fresh: false, own: false });
