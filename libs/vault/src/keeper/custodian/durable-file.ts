import { randomBytes } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { open, readdir, rename, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';

const TEMPORARY = /^\.[0-9a-f]{16}\.new$/;

/** Makes the names in a directory durable: without it a crash may undo a rename that was already relied upon. */
export const flushDirectory = async (directory: string): Promise<void> => {
  const handle = await open(directory, 'r');
  await handle.sync().finally(() => handle.close());
};

/** Makes the names of a directory and of those above it durable, as far up as this user may look. */
export const flushAncestors = async (directory: string): Promise<void> => {
  for (let child = directory, parent = dirname(child); parent !== child; child = parent, parent = dirname(child))
    await flushDirectory(parent).catch((error: unknown) => {
      if (!MAY_NOT.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
    });
};
/** Above what we may look at, and on file systems that have nothing to sync, nothing is ours to keep. */
const MAY_NOT = new Set(['EACCES', 'EPERM', 'EINVAL', 'EROFS']);

/**
 * Writes a file of mode 0600 whole or not at all, and on disk when this resolves: beside, fsync, rename, fsync of the directory.
 * What it replaces is overwritten, and only then: until the directory is on disk a crash may still bring it back.
 */
export const replaceDurably = async (file: string, content: string | Uint8Array): Promise<void> => {
  const replaced = await open(file, 'r+').catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  });
  try {
    await writeBeside(file, content);
    if (replaced) await overwrite(replaced);
  } finally {
    await replaced?.close();
  }
};

const writeBeside = async (file: string, content: string | Uint8Array): Promise<void> => {
  const beside = join(dirname(file), `.${randomBytes(8).toString('hex')}.new`);
  const handle = await open(beside, 'wx', 0o600);
  try {
    await handle.writeFile(content);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(beside, file);
  await flushDirectory(dirname(file));
};

/** Overwrites a file and removes it: for what may hold key bytes. What the device keeps of it is beyond reach. */
export const destroyFile = async (file: string): Promise<void> => {
  const handle = await open(file, 'r+');
  await overwrite(handle).finally(() => handle.close());
  await unlink(file);
  await flushDirectory(dirname(file));
};

const overwrite = async (handle: FileHandle): Promise<void> => {
  const { size } = await handle.stat();
  await handle.write(randomBytes(size), 0, size, 0);
  await handle.sync();
};

/** Removes what a crash between write and rename left behind; it was never relied upon, and may hold a root key. */
export const removeLeftovers = async (directory: string): Promise<void> => {
  for (const name of await readdir(directory)) if (TEMPORARY.test(name)) await destroyFile(join(directory, name));
};
