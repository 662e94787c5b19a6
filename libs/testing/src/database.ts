import { randomBytes } from 'node:crypto';
import pg from 'pg';

/** A fresh database on the PostgreSQL of the test run; `drop` removes it, open connections included. */
export const testDatabase = async (): Promise<{ url: string; drop(): Promise<void> }> => {
  const server = process.env['MAKULER_TEST_POSTGRES'];
  if (!server) throw new Error('no PostgreSQL: run this suite through `npm run test:int`');
  const name = `t_${randomBytes(8).toString('hex')}`;
  const administer = async (sql: string) => {
    const client = new pg.Client({ connectionString: `${server}/postgres` });
    await client.connect();
    await client.query(sql).finally(() => client.end());
  };
  await administer(`create database ${name} template template0`);
  return { url: `${server}/${name}`, drop: () => administer(`drop database if exists ${name} with (force)`) };
};
