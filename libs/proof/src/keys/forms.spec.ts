import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ScopeId, SubjectId } from '#kernel';
import { newId, subjectOwner } from '#kernel';
import { sealBytes } from '../../../vault/src/aead.js';
import { bucketKeys, sealScope, wrap } from '../../../vault/src/keeper/wrap.js';
import { prove } from '../proof.js';

const [installation, mirror, bucket] = [randomUUID(), randomUUID(), randomUUID()];
const owner = subjectOwner(newId<SubjectId>());
const stream = `customer-${owner.id}`;
const scopeId = newId<ScopeId>();
const [root, epochKey, bucketKey, dataKey] = [1, 2, 3, 4].map(() => randomBytes(32)) as [
  Buffer,
  Buffer,
  Buffer,
  Buffer,
];

const epochWrap = wrap('epoch-key', root, epochKey, [installation, mirror, 3]);
const bucketWrap = wrap('bucket-key', epochKey, bucketKey, [installation, bucket, 5, 3]);
const record = sealScope(
  bucketKeys(bucketKey),
  { bucketId: bucket, generation: 5, scopeId },
  { owner, category: 'contact', partition: '', stream },
  dataKey,
);
const eventId = newId();
const type = 'customer.registered';
const place = ['makuler/block', 1, eventId, type, stream, scopeId, 'own', 'contact'].join('\0');
const label = Buffer.from('own/contact');
const block = Buffer.concat(
  [[1, label.length], label, sealBytes(dataKey, Buffer.from('{}'), Buffer.from(place))].map((part) =>
    Buffer.from(part as Uint8Array),
  ),
);
const data = { $sealed: { [scopeId]: block.toString('base64') } };

const hex = (bytes: Buffer) => bytes.toString('hex');
const rows = [
  { epoch: 3, mirror, wrapped: epochWrap },
  { bucket_id: bucket, generation: 5, epoch: 3, wrapped: bucketWrap, scopes: 1, owners: 1, dirty: false },
  { scope_id: scopeId, bucket_id: bucket, state: 'live', identity: randomBytes(32), sealed: record },
];
type Row = Record<string, unknown>;
const withBytes = (row: Row, form: (bytes: Buffer) => string): Row =>
  Object.fromEntries(Object.entries(row).map(([name, value]) => [name, Buffer.isBuffer(value) ? form(value) : value]));
const all = (form: (row: Row) => string) => rows.map(form).join('\n');

const FORMS: [string, string][] = [
  ['rows of COPY', all((row) => Object.values(withBytes(row, (bytes) => `\\\\x${hex(bytes)}`)).join('\t'))],
  [
    'INSERT statements',
    all(
      (row) => `INSERT INTO t VALUES (${Object.values(withBytes(row, (bytes) => `'\\x${hex(bytes)}'`)).join(', ')});`,
    ),
  ],
  ['lines of JSON with hex', all((row) => JSON.stringify(withBytes(row, (bytes) => `\\x${hex(bytes)}`)))],
  ['lines of JSON with base64', all((row) => JSON.stringify(withBytes(row, (bytes) => bytes.toString('base64'))))],
  ['JSON that is laid out in lines', all((row) => JSON.stringify(withBytes(row, hex), null, 2))],
  ['CSV', all((row) => Object.values(withBytes(row, (bytes) => hex(bytes).toUpperCase())).join(';'))],
];

describe('keys in copies of the vault', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'makuler-forms-'));
    await writeFile(join(directory, 'log'), JSON.stringify({ stream, id: eventId, type, data }));
  });
  afterEach(() => rm(directory, { recursive: true }));

  const keep = (name: string, content: string | Buffer) => writeFile(join(directory, name), content);
  const kinds = async () => {
    const { keysFound, notRead } = await prove({ id: owner.id, values: [], paths: [directory], installation });
    expect(notRead).toEqual([]);
    return keysFound.map(({ kind, category, count }) => [kind, category, count]);
  };
  const rootFile = Buffer.concat([Buffer.from('makuler/root/1\n'), root]);

  it.each(FORMS)('are found in %s', async (_, text) => {
    await keep('vault', text);
    expect(await kinds()).toEqual([]);
    await keep('root', rootFile);
    expect(await kinds()).toEqual([
      ['record', 'contact', 1],
      ['block', 'contact', 1],
    ]);
  });

  it.each([
    ['in the midst of other bytes', Buffer.concat([randomBytes(999), rootFile, randomBytes(99)])],
    ['in base64', Buffer.from(`{"key":"${rootFile.toString('base64')}"}`)],
    ['in hex', Buffer.from(rootFile.toString('hex'))],
  ])('open with a root that lies %s', async (_, content) => {
    await keep('vault', FORMS[0]![1]);
    await keep('somewhere', content);
    expect(await kinds()).toHaveLength(2);
  });

  it('need the installation that they are bound to, which stands in the vault’s row or at the custodian', async () => {
    await keep('vault', FORMS[0]![1]);
    await keep('root', rootFile);
    const without = async () => (await prove({ id: owner.id, values: [], paths: [directory] })).keysFound.length;
    expect(await without()).toBe(0);
    for (const text of [`{"installation":"${installation}"}`, `t\t${installation}\t${randomUUID()}\t12`]) {
      await keep('installation-of', text);
      expect(await without()).toBe(2);
    }
  });

  it('are nobody else’s', async () => {
    await keep('vault', FORMS[0]![1]);
    await keep('root', rootFile);
    await keep('other', `customer-${mirror}`);
    expect((await prove({ id: mirror, values: [], paths: [directory], installation })).keysFound).toEqual([]);
  });
});
