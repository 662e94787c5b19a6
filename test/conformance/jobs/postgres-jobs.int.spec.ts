import { jobBackend } from '#jobs';
import { createPool } from '#postgres';
import { testDatabase } from '#testing';
import { jobsConformance } from './jobs.suite.js';

jobsConformance('PostgreSQL', async () => {
  const database = await testDatabase();
  return {
    connect: (workers) => jobBackend({ databaseUrl: database.url, workers }),
    drop: () => database.drop(),
    dump: async () => {
      const pool = createPool(database.url, { name: 'dump' });
      const { rows: tables } = await pool.query<{ name: string }>(
        "select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname = 'bullmq'",
      );
      const texts = await Promise.all(tables.map(async ({ name }) => (await pool.query(`select * from ${name}`)).rows));
      await pool.end();
      return JSON.stringify(texts);
    },
  };
});
