import { port, postgresUrl, readConfiguration, secret, text, type Setting } from '#kernel';
import { DEFAULT_MAX_APPEND_BYTES, type EventNodeOptions } from './server.js';

/** PostgreSQL and the messages take more, but a client can't read an event beyond 17 MiB. */
const LARGEST_APPEND = 15 * 1024 * 1024;

const bytes = (fallback: number): Setting<number> => ({
  parse: (value) => (/^[1-9]\d{0,8}$/.test(value) && Number(value) <= LARGEST_APPEND ? Number(value) : undefined),
  valid: `a number of bytes from 1 to ${LARGEST_APPEND}`,
  fallback,
});

/** Every variable that this program reads; docs/operations.md explains them (a spec compares). */
export const SETTINGS = {
  EVENT_NODE_DATABASE_URL: postgresUrl,
  EVENT_NODE_HOST: text('a host name or address to listen on', '127.0.0.1'),
  EVENT_NODE_PORT: port(),
  EVENT_NODE_CERT_FILE: text('the path of a certificate (PEM)'),
  EVENT_NODE_KEY_FILE: text('the path of its private key (PEM)'),
  EVENT_NODE_PASSWORD: secret(text('the password of the user makuler')),
  EVENT_NODE_MAX_APPEND_BYTES: bytes(DEFAULT_MAX_APPEND_BYTES),
};

/** The program's configuration; the only place that reads the environment. Throws ConfigurationError with every problem. */
export const readOptions = (env: Record<string, string | undefined> = process.env): EventNodeOptions => {
  const values = readConfiguration(env, SETTINGS);
  return {
    databaseUrl: values.EVENT_NODE_DATABASE_URL,
    host: values.EVENT_NODE_HOST,
    port: values.EVENT_NODE_PORT,
    certFile: values.EVENT_NODE_CERT_FILE,
    keyFile: values.EVENT_NODE_KEY_FILE,
    password: values.EVENT_NODE_PASSWORD,
    maxAppendBytes: values.EVENT_NODE_MAX_APPEND_BYTES,
  };
};
