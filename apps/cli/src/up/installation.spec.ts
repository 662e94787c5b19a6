import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Home } from './home.js';
import { homeIn } from './home.js';
import { ensureInstallation } from './installation.js';

describe('the mark of an installation', () => {
  let directory: string;
  let home: Home;
  let mirrors: readonly string[];
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'makuler-installation-'));
    home = homeIn(join(directory, 'home'));
    await mkdir(home.directory);
    mirrors = ['a', 'b'].map((name) => join(directory, 'custodian', name));
  });
  afterEach(() => rm(directory, { recursive: true }));
  /** As after the first start: secrets were made, and the vault was there. */
  const settled = async () => {
    await ensureInstallation(home, mirrors);
    await writeFile(home.secrets, '{}');
    for (const mirror of mirrors) await writeFile(join(mirror, 'mirror.id'), 'id\n');
  };

  it('is made once, also when a crash came between home and mirrors', async () => {
    const { id, created } = await ensureInstallation(home, mirrors.slice(0, 1));
    expect(created).toBe(true);
    expect(await ensureInstallation(home, mirrors)).toEqual({ id, created: false, away: [] });
  });

  it.each(['', ', in a home that was just restored'])(
    'says which mirror is away, and makes none in its place%s',
    async (restored) => {
      await settled();
      if (restored) await rm(home.secrets);
      await rename(mirrors[1]!, `${mirrors[1]!}.away`);
      expect((await ensureInstallation(home, mirrors)).away).toEqual([mirrors[1]]);
      expect((await readdir(join(directory, 'custodian'))).sort()).toEqual(['a', 'b.away']);
    },
  );

  it('makes none when all mirrors are away: the vault says what that means', async () => {
    await settled();
    await rename(join(directory, 'custodian'), join(directory, 'away'));
    expect((await ensureInstallation(home, mirrors)).away).toEqual(mirrors);
    expect((await readdir(directory)).sort()).toEqual(['away', 'home']);
  });

  it('refuses a mirror of another installation, in an empty home too', async () => {
    await settled();
    const other = homeIn(join(directory, 'other'));
    await mkdir(other.directory);
    await expect(ensureInstallation(other, mirrors)).rejects.toThrow('belongs to another installation');
    await ensureInstallation(other, [join(directory, 'c')]);
    await expect(ensureInstallation(home, [mirrors[0]!, join(directory, 'c')])).rejects.toThrow(
      'different installations',
    );
  });

  it('takes a mirror that was added later without a mark for what it is', async () => {
    await settled();
    const added = join(directory, 'added');
    await mkdir(added);
    await writeFile(join(added, 'mirror.id'), 'id\n');
    expect((await ensureInstallation(home, [...mirrors, added])).away).toEqual([]);
  });
});
