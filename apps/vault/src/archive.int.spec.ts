import { randomUUID } from 'node:crypto';
import type { OwnerRef, ScopeId, SubjectId } from '#kernel';
import { newId, subjectOwner } from '#kernel';
import { testDatabase } from '#testing';
import type { ArchiveFrame } from '#vault/operations';
import { GrpcVaultArchive } from '#vault/operations';
import type { VaultHouse } from '../../../test/faults/vault-house.js';
import { startVaultHouse } from '../../../test/faults/vault-house.js';

const AD = new TextEncoder().encode('event-1');
const person = (): OwnerRef => subjectOwner(newId<SubjectId>());

/** A copy of the vault, and what becomes of it in an empty database beside the same custodian. */
describe('a copy of the vault', () => {
  let house: VaultHouse;
  let archive: GrpcVaultArchive;
  const databases: Awaited<ReturnType<typeof testDatabase>>[] = [];
  beforeEach(async () => {
    house = await startVaultHouse();
    archive = archiveOf('cli');
  });
  afterEach(async () => {
    archive.close();
    await house.end();
    for (const database of databases.splice(0)) await database.drop();
  });

  const archiveOf = (name: string) =>
    new GrpcVaultArchive({ address: `127.0.0.1:${house.options.port}`, ...house.certificateOf(name) });
  const seal = async (owner: OwnerRef) => {
    const scope = { owner, category: 'contact', partition: '', stream: `customer-${owner.id}` };
    return house.api.withSealing([scope], async ({ keys: [key], seal: sealing }) => ({
      scopeId: key!.scopeId,
      block: sealing(key!, new TextEncoder().encode('Kari'), AD),
    }));
  };
  const read = async ({ scopeId, block }: { scopeId: ScopeId; block: Uint8Array }) => {
    const vault = house.vaultOf('api');
    await vault.ready(5_000);
    const found = (await vault.openingKeys([scopeId])).get(scopeId)!;
    return found.state === 'live' ? Buffer.from(vault.open(found.key, block, AD)).toString() : found.state;
  };
  const erase = async (owner: OwnerRef, scopeId: ScopeId) => {
    const order = { orderId: randomUUID(), owner, kind: 'erasure' } as const;
    await house.shredder.fence({ ...order, except: [] });
    await house.shredder.shred({ ...order, scopeIds: [scopeId] });
    await house.shredder.release(owner, order.orderId);
  };
  const copied = async () => {
    const frames: ArchiveFrame[] = [];
    for await (const frame of archive.backup()) frames.push(frame);
    return frames;
  };
  async function* framesOf(frames: readonly ArchiveFrame[]) {
    yield* frames;
  }
  /** The vault with an empty database in place of its own. */
  const emptied = async () => {
    await house.stop();
    const database = await testDatabase();
    databases.push(database);
    return house.start({ databaseUrl: database.url });
  };

  it('gives back what was sealed before it, but nobody who was erased since; it begins another life', async () => {
    const [kari, ola] = [person(), person()];
    const [hers, his] = [await seal(kari), await seal(ola)];
    const before = await house.status();
    const frames = await copied();
    expect(frames.at(0)).toMatchObject({ header: { epoch: 1, incarnation: before.incarnation, mintSequence: '2' } });
    await erase(ola, his.scopeId);

    expect((await emptied()).gate.state).toBe('database-empty');
    expect(await house.status()).toMatchObject({
      gate: 'database-empty',
      incarnation: '',
      installation: before.installation,
    });
    const incarnation = randomUUID();
    await archive.restore(framesOf(frames), incarnation);
    expect(await house.status()).toMatchObject({
      gate: 'reconciled',
      incarnation,
      mintSequence: 2,
      applied: expect.any(Number),
    });
    expect([await read(hers), await read(his)]).toEqual(['Kari', 'shredded']);
    await expect(archive.restore(framesOf(frames), randomUUID())).rejects.toMatchObject({ code: 'restore-not-empty' });
    const another = await seal(person());
    expect(await read(another)).toBe('Kari');
  });

  it('is taken whole or not at all, and only where it belongs', async () => {
    const hers = await seal(person());
    const frames = await copied();
    await emptied();
    const [header, ...rows] = frames as [{ header: { installation: string } }, ...ArchiveFrame[]];
    const refused: Record<string, unknown> = {};
    const attempt = async (what: string, changed: readonly ArchiveFrame[]) => {
      refused[what] = await archive.restore(framesOf(changed), randomUUID()).then(
        () => 'taken',
        (error: { code?: string }) => error.code,
      );
      expect(await house.status()).toMatchObject({ gate: 'database-empty', incarnation: '' });
    };
    const headed = (change: object) => [{ header: { ...header.header, ...change } } as ArchiveFrame, ...rows];
    await attempt('no end', frames.slice(0, -1));
    await attempt(
      'a row less',
      frames.filter((frame) => !('rows' in frame && frame.rows.table === 'scope')),
    );
    await attempt('no header', rows);
    await attempt('nothing', []);
    await attempt('another installation', headed({ installation: randomUUID() }));
    await attempt(
      'a newer schema',
      headed({ schema: [...(frames[0] as unknown as { header: { schema: string[] } }).header.schema, '999'] }),
    );
    await attempt('another table', [
      ...frames.slice(0, 1),
      { rows: { table: 'pg_authid', rows: ['{}'] } },
      ...frames.slice(1),
    ]);
    async function* broken() {
      yield* frames.slice(0, 4);
      throw new Error('unreadable');
    }
    await expect(archive.restore(broken(), randomUUID())).rejects.toThrow('unreadable');
    expect(refused).toEqual({
      ...{ 'no end': 'backup-damaged', 'a row less': 'backup-damaged', 'no header': 'backup-damaged' },
      ...{ nothing: 'backup-damaged', 'another installation': 'backup-foreign', 'a newer schema': 'backup-newer' },
      'another table': 'backup-damaged',
    });
    await archive.restore(framesOf(frames), randomUUID());
    expect(await read(hers)).toBe('Kari');
  });

  it('goes to nobody but those who take backups, and is filled in by nobody but the command line', async () => {
    for (const name of ['api', 'projector']) {
      const stranger = archiveOf(name);
      await expect(stranger.backup().next()).rejects.toMatchObject({ code: 'vault-unavailable' });
      await expect(stranger.restore(framesOf([]), randomUUID())).rejects.toMatchObject({ code: 'vault-unavailable' });
      stranger.close();
    }
  });

  it('can be looked at in a drill, which changes nothing at the custodian', async () => {
    const [kari, ola] = [person(), person()];
    const [hers, his] = [await seal(kari), await seal(ola)];
    const frames = await copied();
    await erase(ola, his.scopeId);
    await house.stop();
    const { readdir, readFile, stat, writeFile } = await import('node:fs/promises');
    const { join } = await import('node:path');
    const beside = join(house.mirrors[0]!, '.0123456789abcdef.new');
    await writeFile(beside, 'what another vault is just writing', { mode: 0o600 });
    const contents = async () => {
      const found: unknown[] = [];
      for (const mirror of house.mirrors)
        for (const name of (await readdir(mirror)).sort())
          found.push([
            name,
            (await readFile(join(mirror, name))).toString('hex'),
            (await stat(join(mirror, name))).mtimeMs,
          ]);
      return found;
    };
    const before = await contents();
    const database = await testDatabase();
    databases.push(database);
    await house.start({ databaseUrl: database.url, drill: true });
    await archive.restore(framesOf(frames), randomUUID());
    expect([await read(hers), await read(his)]).toEqual(['Kari', 'shredded']);
    await erase(kari, hers.scopeId);
    expect(await read(hers)).toBe('shredded');
    await house.stop();
    expect(await contents()).toEqual(before);
    await house.start();
    expect([await read(hers), await read(his)]).toEqual(['Kari', 'shredded']);
  });
});
