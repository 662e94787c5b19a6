import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EventStoreDb } from '#ledger';
import { ensureAuthority } from '#pki';
import type { Pool } from '#postgres';
import { createPool } from '#postgres';
import { testDatabase } from '#testing';
import { startEventNode } from '../../apps/event-node/src/server.js';

/** An event node, a client of it, and the hands of somebody who has its database. */
export interface LogServer {
  readonly store: EventStoreDb;
  readonly database: Pool;
  /** Runs statements on the tables, behind the node's back. */
  tamper(...statements: readonly string[]): Promise<void>;
  /** Puts the tables back as they were at the last `keep`. */
  undo(): Promise<void>;
  keep(): Promise<void>;
  /** Ends the node and starts it again on the tables as they are now, as somebody does who writes on from there. */
  restart(): Promise<LogServer>;
  end(): Promise<void>;
}

/** Starts one with an empty log. */
export const startLogServer = async (): Promise<LogServer> => {
  const directory = await mkdtemp(join(tmpdir(), 'makuler-log-'));
  const { url, drop } = await testDatabase();
  const authority = await ensureAuthority(directory);
  const files = await authority.ensureCertificate('event-node', { usage: 'server' });
  const password = randomBytes(16).toString('hex');
  const database = createPool(url, { name: 'attacker', max: 1 });
  const start = async (): Promise<LogServer> => {
    const node = await startEventNode({ databaseUrl: url, port: 0, ...files, password });
    const query = new URLSearchParams({ tls: 'true', tlsCAFile: files.caFile });
    const store = new EventStoreDb(`esdb://makuler:${password}@localhost:${node.port}?${query.toString()}`);
    const stop = async () => {
      await store.close();
      await node.close();
    };
    const tamper = async (...statements: readonly string[]) => {
      for (const statement of statements) await database.query(statement);
    };
    return {
      store,
      database,
      tamper,
      keep: () => tamper('drop table if exists kept', 'create table kept as table event'),
      undo: () => tamper('truncate event', 'insert into event select * from kept'),
      async restart() {
        await stop();
        return start();
      },
      async end() {
        await stop();
        await database.end();
        await drop();
        await rm(directory, { recursive: true });
      },
    };
  };
  return start();
};
