import type { Server } from './connection.js';
import { describeEventStore } from './suite.js';

/** Any server: `EVENTSTORE_URL=esdb://admin:changeit@host:2113?tls=false`. */
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

if (given) describeEventStore('the server in EVENTSTORE_URL', connect, { fresh: false, own: false });
else it.skip('the server in EVENTSTORE_URL: none was given', () => {});
