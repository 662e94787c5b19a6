import { execFile, spawn } from 'node:child_process';
import { chmod, chown, cp, mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { copyRows } from './sql-text.mjs';
import { takeRow } from './rows.mjs';

/**
 * Reads a copied data directory as its thief would: on a copy of the copy, PostgreSQL in single-user mode, which asks for no
 * password, replays the write-ahead log, and writes out every table of every database.
 */
export const takeDataDirectory = async (directory, programs, loot) => {
  const scratch = await mkdtemp(join(tmpdir(), 'attacker-'));
  try {
    const account = await accountOf();
    const server = { postgres: join(programs, 'postgres'), data: join(scratch, 'data'), account };
    await cp(directory, server.data, { recursive: true });
    await rm(join(server.data, 'postmaster.pid'), { force: true });
    const out = join(scratch, 'out');
    await mkdir(out);
    await chmod(scratch, 0o711);
    await chmod(server.data, 0o700);
    if (account) for (const path of [server.data, out]) await give(path, account);
    const names = await query(
      server,
      'postgres',
      join(out, 'databases'),
      'select datname from pg_database where datallowconn',
      ['name'],
    );
    for (const { name } of names) await takeDatabase(server, directory, name, out, loot);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
};

const TABLES = `select c.oid::text, c.relname, (select string_agg(attname, ' ' order by attnum) from pg_attribute
  where attrelid = c.oid and attnum > 0 and not attisdropped)
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where c.relkind in ('r', 'm') and n.nspname not in ('pg_catalog', 'information_schema')`;

const takeDatabase = async (server, directory, database, out, loot) => {
  const tables = await query(server, database, join(out, 'tables'), TABLES, ['oid', 'table', 'columns']);
  if (tables.length === 0) return;
  const fileOf = ({ oid }) => join(out, `${database}-${oid}`);
  // Single-user mode ends a command at the end of its line.
  const commands = tables.map(
    (table) => `do $$ begin execute format('copy %s to %L', ${table.oid}::regclass, '${fileOf(table)}'); end $$;`,
  );
  await singleUser(server, database, commands);
  for (const table of tables)
    for (const row of copyRows(await readFile(fileOf(table), 'utf8'), table.columns.split(' ')))
      takeRow(loot, `${directory}, ${database}`, table.table, row);
};

const query = async (server, database, file, select, columns) => {
  await singleUser(server, database, [`copy (${select.replace(/\s+/g, ' ')}) to '${file}';`]);
  const rows = copyRows(await readFile(file, 'utf8'), columns);
  await rm(file);
  return rows;
};

const singleUser = ({ postgres, data, account }, database, commands) =>
  new Promise((resolve, reject) => {
    const child = spawn(postgres, ['--single', '-D', data, database], {
      ...{ cwd: '/', env: { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' }, stdio: ['pipe', 'ignore', 'pipe'] },
      ...account,
    });
    let said = '';
    child.stderr.on('data', (chunk) => (said += chunk));
    child.once('error', reject);
    child.once('close', (code) => {
      // An error of one command does not end the server; it would be a table left unread.
      const wrong = /^.*(ERROR|FATAL|PANIC): .*$/m.exec(said)?.[0];
      if (code === 0 && !wrong) resolve();
      else reject(new Error(wrong ?? `postgres ended with ${code}: ${said.slice(-500)}`));
    });
    child.stdin.on('error', () => undefined);
    child.stdin.end(`${commands.join('\n')}\n`);
  });

/** PostgreSQL refuses to run as root: then as the user `postgres`. */
const accountOf = async () => {
  if (process.getuid?.() !== 0) return undefined;
  const run = promisify(execFile);
  const [uid, gid] = await Promise.all(['-u', '-g'].map((flag) => run('id', [flag, 'postgres'])));
  return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
};

const give = async (path, { uid, gid }) => {
  await chown(path, uid, gid);
  for (const entry of await readdir(path, { withFileTypes: true })) {
    if (entry.isDirectory()) await give(join(path, entry.name), { uid, gid });
    else await chown(join(path, entry.name), uid, gid);
  }
};
