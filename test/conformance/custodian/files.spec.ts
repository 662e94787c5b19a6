import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { CustodianMirrors, FileCustodian } from '#vault/keeper';
import { describeCustodian } from './custodian.suite.js';

const scratch = () => mkdtemp(join(tmpdir(), 'makuler-custodian-'));

describeCustodian('files', async () => {
  const directory = await scratch();
  return {
    open: () => new FileCustodian(join(directory, 'mirror')),
    dispose: () => rm(directory, { recursive: true }),
  };
});

describe('the files of a custodian', () => {
  let directory: string;
  let place: string;
  beforeEach(async () => {
    directory = await scratch();
    place = join(directory, 'mirror');
  });
  afterEach(() => rm(directory, { recursive: true }));

  const founded = async () => {
    const mirrors = new CustodianMirrors([new FileCustodian(place)]);
    await mirrors.load();
    await mirrors.found(randomUUID());
    return mirrors;
  };

  it('are for their owner alone, and no others lie beside them', async () => {
    await founded();
    expect((await readdir(place)).sort()).toEqual(['custodian.state', 'mirror.id', 'root-1.key']);
    for (const name of ['', 'custodian.state', 'mirror.id', 'root-1.key'])
      expect((await stat(join(place, name))).mode & 0o077).toBe(0);
  });

  it('are not made inside the home, nor behind a link into it', async () => {
    const home = join(directory, 'home');
    await mkdir(home);
    await symlink(home, join(directory, 'link'));
    for (const inside of [home, join(home, 'custodian', 'a'), join(directory, 'link', 'a')])
      await expect(new FileCustodian(inside, { home }).enrol()).rejects.toMatchObject({ reason: 'custodian-exposed' });
    expect(await readdir(home)).toEqual([]);
    await expect(new FileCustodian(`${home}-custodian/a`, { home }).enrol()).resolves.toBeDefined();
  });

  it('are not used in a directory that others can read', async () => {
    await founded();
    await chmod(place, 0o750);
    await expect(new FileCustodian(place).readState()).rejects.toMatchObject({ reason: 'custodian-exposed' });
  });

  it('are not written by a process that was stopped after it had confirmed its right, and overtaken', async () => {
    await founded();
    const stopped = new FileCustodian(place);
    const [before, root] = [(await stopped.readState())!, (await readdir(place)).sort()];
    const [late, next] = [
      { ...before, number: before.number + 1 },
      { ...before, number: before.number + 2 },
    ];
    /** Everything that a successor does, right after the answer that the right still stands. */
    const overtaken = async () => {
      const successor = new FileCustodian(place);
      await successor.takeOver();
      await successor.writeState(next);
    };
    await expect(stopped.writeState(late, overtaken)).rejects.toThrow('ENOENT');
    await expect(stopped.createRoot(2, overtaken)).rejects.toThrow('ENOENT');
    expect(await new FileCustodian(place).readState()).toEqual(next);
    expect((await readdir(place)).sort()).toEqual(root);
    // One who asks only after he was overtaken is told so, and leaves nothing behind.
    const refused = () => Promise.reject(new Error('taken over'));
    await expect(stopped.writeState(late, refused)).rejects.toThrow('taken over');
    await expect(stopped.createRoot(2, refused)).rejects.toThrow('taken over');
    await expect(stopped.destroyRoot(1, refused)).rejects.toThrow('taken over');
    expect(await new FileCustodian(place).readState()).toEqual(next);
    expect((await readdir(place)).sort()).toEqual(root);
  });

  it('are left alone by a process that wakes up after it was overtaken, the one beside them too', async () => {
    const mirrors = await founded();
    const beside = join(place, '.0123456789abcdef.new');
    await writeFile(beside, 'what its successor is about to rename');
    mirrors.confirm = () => Promise.reject(new Error('taken over'));
    await expect(mirrors.refresh()).rejects.toThrow('taken over');
    expect(await readFile(beside, 'utf8')).toBe('what its successor is about to rename');
  });

  it('survive a crash at any byte of a write: the old state stands, and the rest is destroyed', async () => {
    const mirrors = await founded();
    const before = mirrors.state;
    const text = await readFile(join(place, 'custodian.state'), 'utf8');
    for (const length of [0, 1, Math.floor(text.length / 2), text.length - 1, text.length]) {
      await writeFile(join(place, '.0123456789abcdef.new'), text.replace('"number":1', '"number":2').slice(0, length));
      const custodian = new FileCustodian(place);
      await custodian.takeOver();
      expect(await custodian.readState()).toEqual(before);
      expect(await readdir(place)).toHaveLength(3);
    }
  });

  it('are used once: a copy of a mirror beside it is named, and confirms nothing', async () => {
    const mirrors = await founded();
    await mirrors.change(() => ({ phase: 'founded' }));
    await cp(place, join(directory, 'copy'), { recursive: true });
    const both = new CustodianMirrors([new FileCustodian(place), new FileCustodian(join(directory, 'copy'))]);
    await both.load();
    expect(both.joining().map(({ name }) => name)).toEqual([place]);
    expect(both.away()).toMatchObject([{ reason: 'copied', name: join(directory, 'copy') }]);
  });

  it('leave no copy of a root that is destroyed, not even under the name of a write that failed', async () => {
    await founded();
    const custodian = new FileCustodian(place);
    const root = await readFile(join(place, 'root-1.key'));
    await custodian.epochs();
    await writeFile(join(place, '.0123456789abcdef.new'), root);
    await custodian.destroyRoot(1);
    expect((await readdir(place)).sort()).toEqual(['custodian.state', 'mirror.id']);
  });

  it.each([0, 10, 60, 200])('refuse a state torn after %i bytes', async (length) => {
    await founded();
    const text = await readFile(join(place, 'custodian.state'), 'utf8');
    await writeFile(join(place, 'custodian.state'), text.slice(0, length));
    await expect(new FileCustodian(place).readState()).rejects.toMatchObject({ reason: 'custodian-damaged' });
  });

  it('refuse a state that was changed, one of another mirror, and a torn root', async () => {
    const mirrors = await founded();
    const home = { installation: mirrors.state!.installation, epoch: 1 };
    const wrapped = await new FileCustodian(place).wrapEpochKey(home, new Uint8Array(32));
    const text = await readFile(join(place, 'custodian.state'), 'utf8');
    await writeFile(join(place, 'custodian.state'), text.replace('founding', 'founded '));
    await expect(new FileCustodian(place).readState()).rejects.toMatchObject({ reason: 'custodian-damaged' });
    await writeFile(join(place, 'custodian.state'), text);
    await writeFile(join(place, 'mirror.id'), `${randomUUID()}\n`);
    await expect(new FileCustodian(place).readState()).rejects.toMatchObject({ reason: 'custodian-damaged' });
    await rm(join(place, 'mirror.id'));
    await expect(new FileCustodian(place).id()).rejects.toMatchObject({ reason: 'custodian-damaged' });
    await writeFile(join(place, 'mirror.id'), `${mirrors.state!.mirrors[0]}\n`);
    const root = await readFile(join(place, 'root-1.key'));
    await writeFile(join(place, 'root-1.key'), root.subarray(0, root.length - 1));
    await expect(new FileCustodian(place).unwrapEpochKey(home, wrapped)).rejects.toMatchObject({
      reason: 'custodian-damaged',
    });
  });
});
