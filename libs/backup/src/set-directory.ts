import { constants } from 'node:fs';
import { access, mkdir, open, readdir, readFile, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve, sep } from 'node:path';
import { MakulerError } from '#kernel';
import type { Manifest } from './manifest.js';
import { damaged, decodeManifest, encodeManifest } from './manifest.js';
import { verifyPart } from './part-files.js';

const MANIFEST = 'manifest.json';
/** What a set is called while it is written: nobody takes it for whole, and whose it is stands in the name. */
const unfinished = (name: string, installation: string) => `.${name}.${installation}.unfinished`;

/** A set's name, for people to see at a glance when it was made: `makuler-20261123T041500Z-1f9a3c`. */
export const nameOfSet = (createdAt: Date, setId: string): string =>
  `makuler-${createdAt.toISOString().replace(/[-:]|\.\d+/g, '')}-${setId.slice(-6)}`;

/** A set that is being written, in a directory that has its name only once it is whole. */
export class UnfinishedSet {
  private constructor(
    readonly directory: string,
    private readonly target: string,
  ) {}

  /** Makes the directory, with mode 0700. */
  static async begin(parent: string, name: string, installation: string): Promise<UnfinishedSet> {
    const directory = join(parent, unfinished(name, installation));
    await mkdir(directory, { mode: 0o700 });
    return new UnfinishedSet(directory, join(parent, name));
  }

  /** Writes the manifest, last of all, and gives the set its name. Resolves with its directory when all of it is on disk. */
  async finish(manifest: Manifest): Promise<string> {
    await writeDurably(join(this.directory, `.${MANIFEST}.new`), encodeManifest(manifest));
    await rename(join(this.directory, `.${MANIFEST}.new`), join(this.directory, MANIFEST));
    await flushDirectory(this.directory);
    await rename(this.directory, this.target);
    await flushDirectory(dirname(this.target));
    return this.target;
  }

  async remove(): Promise<void> {
    await rm(this.directory, { recursive: true, force: true });
  }
}

/** Removes what interrupted backups of this installation have left. Only while no other backup of it is being written. */
export const clearUnfinished = async (parent: string, installation: string): Promise<number> => {
  const left = (await readdir(parent)).filter(
    (name) => name.startsWith('.makuler-') && name.endsWith(unfinished('', installation).slice(1)),
  );
  for (const name of left) await rm(join(parent, name), { recursive: true, force: true });
  return left.length;
};

/** The manifest of a set. Throws `backup-damaged` where there is none, `backup-newer`. */
export const readManifest = async (directory: string): Promise<Manifest> => {
  const text = await readFile(join(directory, MANIFEST), 'utf8').catch(() => undefined);
  if (text === undefined) throw damaged(`there is no ${MANIFEST} in ${directory}`);
  return decodeManifest(text);
};

/** The whole sets in a directory; what is no set, or none of a format that this version knows, is passed over. */
export const setsIn = async (
  parent: string,
): Promise<readonly { readonly directory: string; readonly manifest: Manifest }[]> => {
  const found = [];
  for (const entry of await readdir(parent, { withFileTypes: true })) {
    if (!entry.isDirectory() || entry.name.startsWith('.')) continue;
    const directory = join(parent, entry.name);
    const manifest = await readManifest(directory).catch(() => undefined);
    if (manifest) found.push({ directory, manifest });
  }
  return found;
};

/** Reads every part to its end. Throws `backup-damaged`, `backup-newer`; `read` hears how many bytes were read, of how many. */
export const verifySet = async (
  directory: string,
  read: (bytes: number, total: number) => void = () => undefined,
): Promise<Manifest> => {
  const manifest = await readManifest(directory);
  const total = manifest.parts.reduce((sum, { bytes }) => sum + bytes, 0);
  let bytes = 0;
  for (const part of manifest.parts) {
    await verifyPart(directory, part);
    read((bytes += part.bytes), total);
  }
  return manifest;
};

/**
 * Makes the directory for sets (mode 0700 when it is not there) and gives its real path. Throws `backup-misplaced` for one
 * inside a mirror of the custodian: what is to be in no backup would lie beside them, and be copied with them.
 */
export const placeForSets = async (directory: string, mirrors: readonly string[]): Promise<string> => {
  const wanted = await realpathOfNearest(resolve(directory));
  for (const mirror of mirrors) {
    const place = await realpath(mirror).catch(() => resolve(mirror));
    if (wanted === place || wanted.startsWith(`${place}${sep}`)) throw new MakulerError('backup-misplaced');
  }
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await access(directory, constants.W_OK);
  return realpath(directory);
};

/** Whether two places lie on one device, so that whoever loses it loses both. `undefined` when one of them can't be asked. */
export const onOneDevice = async (one: string, other: string): Promise<boolean | undefined> => {
  const [a, b] = await Promise.all([one, other].map((place) => stat(place).catch(() => undefined)));
  return a && b ? a.dev === b.dev : undefined;
};

const realpathOfNearest = async (path: string): Promise<string> => {
  const found = await realpath(path).catch(() => undefined);
  if (found !== undefined || dirname(path) === path) return found ?? path;
  return join(await realpathOfNearest(dirname(path)), path.slice(dirname(path).length + 1));
};

const writeDurably = async (file: string, content: string): Promise<void> => {
  const handle = await open(file, 'wx', 0o600);
  try {
    await handle.writeFile(content);
    await handle.sync();
  } finally {
    await handle.close();
  }
};

const flushDirectory = async (directory: string): Promise<void> => {
  const handle = await open(directory, 'r');
  await handle.sync().finally(() => handle.close());
};
