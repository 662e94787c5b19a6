import { randomBytes } from 'node:crypto';
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Pool } from '#postgres';
import { createPool } from '#postgres';
import type { EmbeddedServer } from '#postgres/embedded';
import { startEmbedded } from '#postgres/embedded';
import type { AttackedPerson } from './attacked-house.js';
import { AttackedHouse } from './attacked-house.js';
import { copyTree } from './copy-tree.js';
import type { Sabotage } from './sabotage.js';
import { sabotaged } from './sabotage.js';
import type { AttackReport } from './theft.js';
import { attack, copyCustodian, dump } from './theft.js';

/** A bucket for each owner, so that few people make several: no sabotage, and in every build. */
const SMALL_BUCKETS: Sabotage = {
  name: 'small buckets',
  file: 'libs/vault/src/keeper/buckets.js',
  find: 'BUCKET_OWNERS = 32;',
  replace: 'BUCKET_OWNERS = 1;',
};

/** Each is one of the rules that nobody may change (docs/key-lifecycle.md), changed in the way in which it would happen. */
const SABOTAGES: readonly (Sabotage & { readonly shows: keyof Outcome })[] = [
  {
    name: 'a bucket key is wrapped again before it is rotated',
    file: 'libs/vault/src/keeper/epochs/rotation.js',
    find: 'const next = keyring.next(bucket);',
    replace: `const again = keyring.rewrap({ ...bucket, dirty: false });
      await client.query('update bucket set epoch = $2, wrapped = $3 where bucket_id = $1', [bucketId, again.epoch, again.wrapped]);
      const next = keyring.next(bucket);`,
    shows: 'opened',
  },
  {
    name: 'dirty marks are cleared by a time stamp',
    file: 'libs/vault/src/keeper/epochs/sealing.js',
    find: 'await assertNothingBefore(pool, target);',
    replace: `await assertNothingBefore(pool, target);
      await pool.query('update bucket set dirty = false');`,
    shows: 'opened',
  },
  {
    name: 'the journal is trimmed by age',
    file: 'libs/vault/src/keeper/epochs/sealing.js',
    find: 'if (ended.length === 0) return undefined;',
    replace: 'if (ended.length > 0) return { retiring: [...now.retiring, ...ended], shredded: [], closed: [] };',
    shows: 'restored',
  },
  {
    name: 'one mirror keeps its old root',
    file: 'libs/vault/src/keeper/custodian/file-custodian.js',
    find: 'if ((await this.epochs()).includes(epoch)) await destroyFile(this.#root(epoch));',
    replace: `if (this.name.endsWith('b')) return;
      if ((await this.epochs()).includes(epoch)) await destroyFile(this.#root(epoch));`,
    shows: 'opened',
  },
  {
    name: 'look-up tokens are written to a table',
    file: 'libs/vault/src/keeper/minting.js',
    find: 'const scopeId = newScopeId(this.surroundings.nowMs());',
    replace: `const scopeId = newScopeId(this.surroundings.nowMs());
      const token = process.getBuiltinModule('node:crypto').createHash('sha256').update(request.owner.id).digest('hex');
      void this.client.query(\`create table if not exists lookup_token (token bytea, scope_id uuid);
        insert into lookup_token values ('\\\\x\${token}', '\${scopeId}')\`);`,
    shows: 'joined',
  },
];

/** What the attack achieved. */
interface Outcome {
  /** Values of erased people that opened from copies. */
  readonly opened: number;
  /** Whether an old database beside the present custodian gave anything of them back. */
  readonly restored: boolean;
  /** Whether anything but the difference of two copies joined streams of one of them, or confirmed a guess. */
  readonly joined: boolean;
}
const NOTHING: Outcome = { opened: 0, restored: false, joined: false };

/** P2, the other way round: an attack that no careless change makes succeed would show nothing. */
describe('the attack on what was erased', () => {
  let directory: string;
  let server: EmbeddedServer;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'makuler-sabotage-'));
    await chmod(directory, 0o711); // as root, PostgreSQL runs as another user, which must pass through
    server = await startEmbedded({ directory: join(directory, 'postgres'), logFile: join(directory, 'postgres.log') });
  });
  afterAll(async () => {
    await server?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  const query = async (url: string, work: (pool: Pool) => Promise<void>) => {
    const pool = createPool(url, { name: 'sabotage', max: 2 });
    await work(pool).finally(() => pool.end());
  };
  const copyDatabase = async (url: string): Promise<string> => {
    const name = `copy_${randomBytes(4).toString('hex')}`;
    const of = new URL(url).pathname.slice(1);
    await query(
      server.url('postgres'),
      async (pool) => void (await pool.query(`create database ${name} template ${of}`)),
    );
    return server.url(name);
  };

  /** Erases somebody while a seal has moved their bucket already and is not finished. */
  const eraseDuringSeal = async (house: AttackedHouse, person: AttackedPerson) =>
    query(house.urls.vault, async (pool) => {
      const client = await pool.connect();
      await client.query('begin; select from bucket where dirty for update');
      const sealing = house.operations.sealEpoch();
      const moved = 'select from bucket join owner_bucket using (bucket_id) where owner_id = $1 and epoch = 2';
      while ((await pool.query(moved, [person.owner.id])).rowCount === 0)
        await new Promise((resolve) => setTimeout(resolve, 10));
      await house.erase(person, { silently: true });
      await client.query('rollback');
      client.release();
      await sealing;
    });

  /** Starts the vault on an old copy of its database, beside a copy of the custodian as it is now. */
  const isRestored = async (house: AttackedHouse, oldUrl: string, erased: readonly AttackedPerson[], at: string) => {
    await house.stopVault();
    await copyCustodian(house.mirrors, at);
    await house.startVault({ databaseUrl: oldUrl, mirrors: [0, 1].map((index) => join(at, `mirror-${index}`)) });
    const read = await Promise.all(erased.map((person) => house.read(person)));
    await house.stopVault();
    await house.startVault();
    return read.some((states) => states.has('live'));
  };

  const outcomeOf = (report: AttackReport, erased: readonly AttackedPerson[], restored: boolean): Outcome => ({
    opened: erased
      .flatMap(({ values }) => values)
      .filter((value) => report.opened.some(({ text }) => text.includes(value))).length,
    restored,
    joined:
      // Events name their stream's own person in clear, as the stream's name does.
      report.confirmed.some(({ at }) => !at.startsWith('event.')) ||
      report.joins.some(
        ({ by, at, streams }) =>
          (by === 'record' || by === 'identity' || by === 'row' || by === 'receipt' || at.includes('token')) &&
          erased.some((person) => person.streams.filter((stream) => streams.includes(stream)).length > 1),
      ),
  });

  /** Two people are erased, one of them in the middle of a seal; whoever lives must be read, or the attack is broken. */
  const attacked = async (changes: readonly Sabotage[], { restores }: { restores: boolean }): Promise<Outcome> => {
    const place = await mkdtemp(join(directory, 'house-'));
    await chmod(place, 0o711);
    const vaultMain = await sabotaged([SMALL_BUCKETS, ...changes], place);
    const house = await AttackedHouse.start({ server, directory: place, vaultMain, window: '0' });
    try {
      const [living, ...erased] = [await house.register(), await house.register(), await house.register()] as const;
      const loot = join(place, 'loot');
      await mkdir(loot);
      await dump(house.urls.vault, join(loot, 'old-vault.sql'));
      if (restores) await house.stopVault();
      const oldUrl = restores ? await copyDatabase(house.urls.vault) : undefined;
      if (restores) await house.startVault();
      await house.erase(erased[0]!, { silently: true });
      await eraseDuringSeal(house, erased[1]!);
      const restored = oldUrl !== undefined && (await isRestored(house, oldUrl, erased, join(place, 'custodian-then')));
      await house.operations.sealEpoch({ force: true });
      expect(await house.operations.destroyRoots()).toEqual({ destroyed: [1, 2], outstanding: [] });
      for (const [name, url] of Object.entries(house.urls)) await dump(url, join(loot, `${name}.sql`));
      await copyCustodian(house.mirrors, join(loot, 'custodian'));
      await takeFilesOf(house.urls.vault, join(loot, 'files'));
      const report = await attack(
        [loot],
        erased.map(({ owner }) => owner.id),
      );
      for (const value of living.values) expect(report.opened.some(({ text }) => text.includes(value))).toBe(true);
      return outcomeOf(report, erased, restored);
    } finally {
      await house.end();
    }
  };

  /** The files of one database, dead rows and all, without the write-ahead log. */
  const takeFilesOf = (url: string, to: string) =>
    query(url, async (pool) => {
      await pool.query('checkpoint');
      const { rows } = await pool.query<{ oid: string }>(
        'select oid::text from pg_database where datname = current_database()',
      );
      await copyTree(join(directory, 'postgres/data/base', rows[0]!.oid), to);
    });

  it('fails against what is shipped', async () => {
    expect(await attacked([], { restores: true })).toEqual(NOTHING);
  });

  it.each(SABOTAGES)('succeeds when $name', async ({ shows, ...sabotage }) => {
    const outcome = await attacked([sabotage], { restores: shows === 'restored' });
    expect([shows, Boolean(outcome[shows])]).toEqual([shows, true]);
  });
});
