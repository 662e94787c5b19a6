import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chmod } from 'node:fs/promises';
import { createPool } from '../index.js';
import { ensureDatabases, startEmbedded } from '../embedded.js';
import type { EmbeddedServer } from '../embedded.js';

describe('embedded PostgreSQL', () => {
  let home: string;
  let server: EmbeddedServer;
  const start = () => startEmbedded({ directory: join(home, 'postgres'), logFile: join(home, 'postgres.log') });
  const owner = { name: 'vault', password: 'of the vault' };
  const query = async (url: string, sql: string) => {
    const pool = createPool(url, { name: 'spec' });
    return pool.query(sql).finally(() => pool.end());
  };

  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'makuler-embedded-'));
    await chmod(home, 0o711);
    server = await start();
    await ensureDatabases(server.url('postgres'), [owner, { name: 'events', password: 'e' }], []);
  });
  afterAll(async () => {
    await server.stop();
    await rm(home, { recursive: true, force: true });
  });

  it('lets a role into its own database and no other', async () => {
    await query(server.url('vault', owner), 'create table kept (id int); insert into kept values (1)');
    await expect(query(server.url('events', owner), 'select 1')).rejects.toMatchObject({ code: '42501' });
    await expect(query(server.url('vault', { ...owner, password: 'x' }), 'select 1')).rejects.toMatchObject({
      code: '28P01',
    });
  });

  it('never writes a value of a failing statement into its log', async () => {
    await query(server.url('vault', owner), "select 'Kari Nordmann'::uuid").catch(() => undefined);
    await query(server.url('vault', owner), 'select pg_log_backend_memory_contexts(pg_backend_pid())').catch(
      () => undefined,
    );
    const log = await readFile(join(home, 'postgres.log'), 'utf8');
    expect(log).toContain('ready to accept connections');
    expect(log).not.toContain('Kari');
  });

  it('keeps its passwords to itself', async () => {
    expect((await stat(join(home, 'postgres/password'))).mode & 0o077).toBe(0);
    expect((await stat(join(home, 'postgres/data'))).mode & 0o077).toBe(0);
  });

  it('starts again after kill -9, with what was committed, on the same port', async () => {
    const { port } = server;
    process.kill(server.pid, 'SIGKILL');
    await server.exited;
    server = await start();
    expect(server).toMatchObject({ port, created: false });
    expect((await query(server.url('vault', owner), 'select id from kept')).rows).toEqual([{ id: 1 }]);
  });

  it('shuts down a server that outlived its supervisor, and starts', async () => {
    const orphan = server;
    server = await start();
    await orphan.exited;
    expect(server.leftover).toBe('stopped');
    expect((await query(server.url('vault', owner), 'select id from kept')).rows).toEqual([{ id: 1 }]);
  });

  it('does not believe a pid file whose number belongs to another program', async () => {
    const pidFile = join(home, 'postgres/data/postmaster.pid');
    const lines = await readFile(pidFile, 'utf8');
    await server.stop();
    await writeFile(pidFile, lines.replace(/^\d+/, String(process.pid)));
    server = await start();
    expect(server.leftover).toBe('stale');
  });
});
