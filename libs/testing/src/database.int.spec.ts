import pg from 'pg';
import { testDatabase } from './database.js';

describe('test database', () => {
  it('is empty, real and durable', async () => {
    const database = await testDatabase();
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    const { rows } = await client.query<{ fsync: string }>('show fsync');
    await client.end();
    await database.drop();
    expect(rows[0]?.fsync).toBe('on');
  });
});
