import { randomUUID } from 'node:crypto';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { OwnerRef, SubjectId } from '#kernel';
import { newId, subjectOwner } from '#kernel';
import type { Pool } from '#postgres';
import { createPool } from '#postgres';
import { prove } from '#proof';
import { testDatabase } from '#testing';
import type { VaultHouse } from './vault-house.js';
import { startVaultHouse } from './vault-house.js';

const TABLES = ['epoch_key', 'bucket', 'scope'] as const;

/** P2, as `makuler prove` sees it: keys in the files of a real vault and a real log, in copies of them, and the end of both. */
describe('makuler prove, looking for keys', () => {
  let house: VaultHouse;
  let log: Pool;
  let dropLog: () => Promise<void>;
  let directory: string;
  const owner = subjectOwner(newId<SubjectId>());
  const other = subjectOwner(newId<SubjectId>());
  const erasureId = newId();

  beforeAll(async () => {
    house = await startVaultHouse();
    directory = await mkdtemp(join(tmpdir(), 'makuler-prove-'));
    const database = await testDatabase();
    dropLog = database.drop;
    log = createPool(database.url, { name: 'a test', max: 1 });
    await log.query(
      `create table event (position bigint generated always as identity primary key, stream text collate "C" not null, revision bigint not null,
         event_id uuid not null, type text collate "C" not null, json boolean not null, created bigint not null, data bytea not null, metadata bytea not null);
       alter table event alter column data set storage external`,
    );
    await write(owner, 'contact', 'customer.registered', { name: 'Kari' });
    await write(owner, 'profile', 'customer.profile-noted', { text: 'x'.repeat(4_000) });
    await write(other, 'contact', 'customer.registered', { name: 'Ola' });
    await plain(owner, 'erasure.fenced', { ownerId: owner.id, erasureId, orderId: randomUUID() });
  });
  afterAll(async () => {
    await log.end();
    await dropLog();
    await house.end();
    await rm(directory, { recursive: true, force: true });
  });

  const plain = async ({ id }: OwnerRef, type: string, data: object, eventId: string = randomUUID()) =>
    void (await log.query(
      'insert into event (stream, revision, event_id, type, json, created, data, metadata) values ($1, 7, $2, $3, true, 1, $4, $5)',
      [`customer-${id}`, eventId, type, Buffer.from(JSON.stringify(data)), Buffer.from('{}')],
    ));

  /** An event with one block, as docs/formats/block.md says. */
  const write = async (whom: OwnerRef, category: string, type: string, values: object) => {
    const stream = `customer-${whom.id}`;
    const eventId = randomUUID();
    await house.api.withSealing([{ owner: whom, category, partition: '', stream }], async (session) => {
      const [key] = session.keys;
      const place = ['makuler/block', 1, eventId, type, stream, key!.scopeId, 'own', category].join('\0');
      const label = Buffer.from(`own/${category}`);
      const sealed = session.seal(key!, Buffer.from(JSON.stringify(values)), Buffer.from(place));
      const block = Buffer.concat([[1, label.length], label, sealed].map((part) => Buffer.from(part as Uint8Array)));
      await plain(whom, type, { $sealed: { [key!.scopeId]: block.toString('base64') } }, eventId);
    });
  };

  /** Where a database's files are; written out first, so that what is in memory only is there too. */
  const filesOf = async (query: (text: string) => Promise<Record<string, unknown>[]>): Promise<string> => {
    await query('checkpoint');
    const [row] = await query(
      `select current_setting('data_directory') || '/base/' || oid as path from pg_database where datname = current_database()`,
    );
    return row!['path'] as string;
  };
  const vaultFiles = () => filesOf((text) => house.sql(text));
  const logFiles = () => filesOf(async (text) => (await log.query<Record<string, unknown>>(text)).rows);

  /** A dump as `pg_dump` writes it: rows of COPY, bytes as hex. */
  const dump = async (): Promise<string> => {
    let text = '';
    for (const table of [...TABLES, 'vault']) {
      const copied = await house.sql(`select * from ${table}`);
      text += `COPY public.${table} FROM stdin;\n`;
      for (const row of copied) text += `${Object.values(row).map(copyText).join('\t')}\n`;
      text += '\\.\n\n';
    }
    return text;
  };
  const copyText = (value: unknown): string => {
    if (Buffer.isBuffer(value)) return `\\\\x${value.toString('hex')}`;
    if (typeof value === 'boolean') return value ? 't' : 'f';
    return typeof value === 'string' || typeof value === 'number' ? String(value) : '\\N';
  };

  const found = async (id: string, paths: readonly string[]) => {
    const { keysFound, namedBy, clean, notRead, read } = await prove({ id, values: [], paths });
    expect(notRead).toEqual([]);
    const of = (kind: string) =>
      [...new Set(keysFound.filter((key) => key.kind === kind).map(({ category }) => category))].sort();
    return {
      namedBy,
      clean,
      records: of('record'),
      blocks: of('block'),
      keys: read.keys,
      files: keysFound.map(({ file }) => file),
    };
  };

  it('finds every key and every block of a person in the files of vault and log, and nobody else’s', async () => {
    const paths = [await vaultFiles(), await logFiles(), ...house.mirrors];
    const all = { clean: false, records: ['contact', 'profile'], blocks: ['contact', 'profile'] };
    expect(await found(owner.id, paths)).toMatchObject({ ...all, namedBy: 'owner' });
    expect(await found(erasureId, paths)).toMatchObject({ ...all, namedBy: 'erasure' });
    expect(await found(other.id, paths)).toMatchObject({ records: ['contact'], blocks: ['contact'] });
  });

  it('says that nothing tells whom an id names, when it stands nowhere', async () => {
    const report = await prove({ id: newId(), values: [], paths: [...house.mirrors, await logFiles()] });
    expect(report).toMatchObject({ namedBy: 'unknown', clean: true, complete: false });
  });

  it('says which mirror it has not read, when what it reads is to be everything', async () => {
    const whole = { id: owner.id, values: [], whole: true };
    const reasons = async (paths: string[]) => (await prove({ ...whole, paths })).notRead.map(({ why }) => why);
    expect(await reasons([house.mirrors[0]!, await vaultFiles()])).toEqual([
      'a mirror of the custodian that is not among what was read',
    ]);
    expect(await reasons([...house.mirrors, await vaultFiles()])).toEqual([]);
  });

  it('finds what an old dump still opens as long as a root exists, through gzip, and nothing once all of them are gone', async () => {
    const backup = join(directory, 'backup');
    await mkdir(backup);
    await writeFile(join(backup, 'vault.sql.gz'), gzipSync(await dump()));
    const copied = join(directory, 'copied-roots');
    await cp(house.mirrors[0]!, copied, { recursive: true });

    const before = await found(owner.id, [backup, await logFiles(), ...house.mirrors]);
    expect(before).toMatchObject({ records: ['contact', 'profile'], blocks: ['contact', 'profile'] });
    expect(before.files).toContain(join(backup, 'vault.sql.gz'));

    const order = { orderId: randomUUID(), owner, kind: 'erasure' as const };
    await house.shredder.fence({ ...order, except: [] });
    const scopes = (await house.shredder.scopesOf(owner)).map(({ scopeId }) => scopeId);
    await house.shredder.shred({ ...order, scopeIds: scopes });
    const everything = async () => [backup, await vaultFiles(), await logFiles(), ...house.mirrors];
    // The live vault has forgotten; its old dump and the root that still lies at the custodian have not.
    expect(await found(owner.id, await everything())).toMatchObject({ records: ['contact', 'profile'] });

    await house.operations.sealEpoch();
    await house.operationsOf('worker').destroyRoots();
    const after = await found(owner.id, await everything());
    expect(after).toMatchObject({ clean: true, records: [], blocks: [] });
    // It is not that nothing opens: the other person is still there.
    expect(after.keys.records).toBeGreaterThan(0);
    expect(await found(other.id, await everything())).toMatchObject({ records: ['contact'], blocks: ['contact'] });
    // And a root that was copied before is what nobody can destroy.
    expect(await found(owner.id, [...(await everything()), copied])).toMatchObject({
      clean: false,
      records: ['contact', 'profile'],
      blocks: ['contact', 'profile'],
    });
  });
});
