import { execFile, spawn } from 'node:child_process';
import { chownSync, cpSync, readdirSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
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
    cpSync(directory, server.data, { recursive: true });
    await rm(join(server.data, 'postmaster.pid'), { force: true });
    const out = join(scratch, 'out');
    await mkdir(out);
    await chmod(scratch, 0o711);
    await chmod(server.data, 0o700);
    if (account) for (const path of [server.data, out]) give(path, account);
    const databases = await takeDatabase(server, directory, 'postgres', out, loot);
    for (const name of databases) if (name !== 'postgres') await takeDatabase(server, directory, name, out, loot);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
};

const DATABASES = 'select datname from pg_database where datallowconn and not datistemplate';
const TABLES = `select c.oid, c.relname, (select string_agg(attname, ' ' order by attnum) from pg_attribute
  where attrelid = c.oid and attnum > 0 and not attisdropped) as columns
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where c.relkind in ('r', 'm') and n.nspname not in ('pg_catalog', 'information_schema')`;

/** Writes out all tables in one life of the server. Answers with the names of all databases. */
const takeDatabase = async (server, directory, database, out, loot) => {
  const files = Object.fromEntries(
    ['databases', 'tables', 'table'].map((name) => [name, join(out, `${database}-${name}`)]),
  );
  const each = `execute format('copy %s to %L', t.oid::regclass, '${files.table}-' || t.oid);`;
  await singleUser(server, database, [
    `copy (${DATABASES}) to '${files.databases}';`,
    `copy (${TABLES}) to '${files.tables}';`,
    `do $$ declare t record; begin for t in ${TABLES} loop ${each} end loop; end $$;`,
  ]);
  const read = async (file, columns) => copyRows(await readFile(file, 'utf8'), columns);
  for (const { oid, table, columns } of await read(files.tables, ['oid', 'table', 'columns']))
    for (const row of await read(`${files.table}-${oid}`, columns.split(' ')))
      takeRow(loot, `${directory}, ${database}`, table, row);
  return (await read(files.databases, ['name'])).map(({ name }) => name);
};

/** Runs commands on one database and ends. A command ends with its line there; `-F`: nobody needs this copy after a crash. */
const singleUser = ({ postgres, data, account }, database, commands) =>
  new Promise((resolve, reject) => {
    const child = spawn(postgres, ['--single', '-F', '-D', data, database], {
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
    child.stdin.end(commands.map((command) => `${command.replace(/\s+/g, ' ')}\n`).join(''));
  });

/** PostgreSQL refuses to run as root: then as the user `postgres`. */
const accountOf = async () => {
  if (process.getuid?.() !== 0) return undefined;
  const run = promisify(execFile);
  const [uid, gid] = await Promise.all(['-u', '-g'].map((flag) => run('id', [flag, 'postgres'])));
  return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
};

const give = (path, { uid, gid }) => {
  chownSync(path, uid, gid);
  for (const name of readdirSync(path, { recursive: true })) chownSync(join(path, name), uid, gid);
};
