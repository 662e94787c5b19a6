import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UnavailableError, type EventStoreDBClient } from '@eventstore/db-client';
import { freePort } from '#kernel';
import { ensureAuthority } from '#pki';
import { createPool } from '#postgres';
import { logLines, testDatabase } from '#testing';
import { anEvent, clientOf, newStream, take, type Server } from './connection.js';
import { NodeProcess } from './node-process.js';
import { signalOf } from './subscriptions.js';

const PASSWORD = 'a password with spaces & signs';
const MARK = 'Kari-Nordmann-4711';

describe('the event node as a process', () => {
  let directory: string;
  let database: Awaited<ReturnType<typeof testDatabase>>;
  let environment: Record<string, string>;
  let server: Server;
  let node: NodeProcess | undefined;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'makuler-node-'));
    database = await testDatabase();
    const authority = await ensureAuthority(directory);
    const { certFile, keyFile, caFile } = await authority.ensureCertificate('event-node', { usage: 'server' });
    const port = await freePort('127.0.0.1');
    environment = {
      EVENT_NODE_DATABASE_URL: database.url,
      EVENT_NODE_PORT: String(port),
      EVENT_NODE_CERT_FILE: certFile,
      EVENT_NODE_KEY_FILE: keyFile,
      EVENT_NODE_PASSWORD: PASSWORD,
    };
    server = {
      connectionString: `esdb://127.0.0.1:${port}?tlsCAFile=${encodeURIComponent(caFile)}`,
      credentials: { username: 'makuler', password: PASSWORD },
      close: async () => {},
    };
    node = await NodeProcess.start(environment);
  });
  afterEach(async () => {
    await node?.end('SIGKILL');
    await database.drop();
    await rm(directory, { recursive: true });
  });

  /** Appends until the client fails; what was answered, and what was tried. */
  const load = async (
    client: EventStoreDBClient,
    stream: string,
    answered: Map<string, bigint>,
    tried: Set<string>,
  ) => {
    for (;;) {
      const event = anEvent('happened', { mark: MARK });
      tried.add(event.id);
      try {
        const { position } = await client.appendToStream(stream, event);
        answered.set(event.id, position!.commit);
      } catch {
        return;
      }
    }
  };

  it('keeps every acknowledged append, once, when it is killed under load', async () => {
    const [answered, tried] = [new Map<string, bigint>(), new Set<string>()];
    for (let round = 1; round <= 3; round++) {
      const client = clientOf(server);
      const streams = Array.from({ length: 32 }, newStream);
      const writers = streams.map((stream) => load(client, stream, answered, tried));
      const enough = round * 300;
      while (answered.size < enough) await new Promise(setImmediate);
      await node!.end('SIGKILL');
      await Promise.all(writers);
      await client.dispose();
      node = await NodeProcess.start(environment);
    }
    const client = clientOf(server);
    const all = await take(client.readAll());
    await client.dispose();
    expect(all.map(({ commitPosition }) => commitPosition)).toEqual(all.map((_, n) => BigInt(n + 1)));
    const places = new Map(all.map(({ event, commitPosition }) => [event!.id, commitPosition]));
    expect(places.size).toBe(all.length);
    for (const [id, position] of answered) expect(places.get(id)).toBe(position);
    for (const id of [...places.keys()].slice(1)) expect(tried.has(id)).toBe(true);
    expect(node!.output).not.toContain(MARK);
  });

  it('answers what is under way, ends subscriptions as unavailable and exits with 0 when it is asked to stop', async () => {
    const [answered, tried] = [new Map<string, bigint>(), new Set<string>()];
    const client = clientOf(server);
    const subscription = client.subscribeToAll();
    const ended = new Promise((resolve) => subscription.once('error', resolve));
    subscription.resume();
    await signalOf(subscription, 'caughtUp');
    const writers = Array.from({ length: 16 }, () => load(client, newStream(), answered, tried));
    while (answered.size < 100) await new Promise(setImmediate);
    expect(await node!.end('SIGTERM')).toBe(0);
    expect(await ended).toBeInstanceOf(UnavailableError);
    await Promise.all(writers);
    await client.dispose();
    node = await NodeProcess.start(environment);
    const again = clientOf(server);
    const ids = new Set((await take(again.readAll())).map(({ event }) => event!.id));
    await again.dispose();
    for (const id of answered.keys()) expect(ids.has(id)).toBe(true);
  });

  it('prints nothing but lines of a log: that it is ready, that it lost the database, once, and that it has it again', async () => {
    const pool = createPool(database.url, { name: 'spec', max: 1 });
    const others = 'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database()';
    await pool.query(`${others} and pid <> pg_backend_pid()`);
    await pool.end();
    const lines = () => logLines(node!.output.slice(0, node!.output.lastIndexOf('\n')), 'event-node');
    while (!lines().some(({ msg }) => msg === 'writer-back')) await new Promise(setImmediate);
    expect(lines().map(({ level, event, msg }) => [level, event, msg])).toEqual([
      ['info', 'ready', 'ready'],
      ['warn', undefined, 'writer-lost'],
      ['info', undefined, 'writer-back'],
    ]);
  });

  it('prints what Node has to say as lines of the log too, without its words', async () => {
    await node!.end('SIGTERM');
    const fault = `process.once('SIGUSR2', () => {
      process.emitWarning('${MARK}', 'TestWarning');
      setImmediate(() => { throw new Error('${MARK}'); });
    })`;
    const NODE_OPTIONS = `--import data:text/javascript,${encodeURIComponent(fault)}`;
    node = await NodeProcess.start({ ...environment, NODE_OPTIONS });
    expect(await node.end('SIGUSR2')).toBe(1);
    expect(logLines(node.output, 'event-node')).toMatchObject([
      { event: 'ready' },
      { level: 'warn', msg: 'process.warning', warning: 'TestWarning' },
      { level: 'fatal', msg: 'process.failed', err: { type: 'Error' } },
    ]);
    expect(node.output).not.toContain(MARK);
  });

  it('names the problem and ends when another node has the database', async () => {
    const second = NodeProcess.start({ ...environment, EVENT_NODE_PORT: '0' });
    await expect(second).rejects.toThrow('Another event node is using this database');
  });

  it('names every problem of its configuration, and no value', async () => {
    const wrong = NodeProcess.start({ EVENT_NODE_PORT: MARK, EVENT_NODE_DATABASE_URL: MARK });
    const error: unknown = await wrong.catch((reason: unknown) => reason);
    for (const name of ['DATABASE_URL', 'PORT', 'CERT_FILE', 'KEY_FILE', 'PASSWORD'])
      expect(String(error)).toContain(`EVENT_NODE_${name}`);
    expect(String(error)).not.toContain(MARK);
    expect(logLines((error as Error).message, 'event-node')).toMatchObject([{ level: 'error', event: 'refused' }]);
  });
});
