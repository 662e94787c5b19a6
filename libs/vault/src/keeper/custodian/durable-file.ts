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
 *
 * `confirm` is asked between the file beside and the rename, and nowhere else. Between its answer and the rename this process may
 * be stopped for any time, and another may take over meanwhile. What protects that gap: whoever takes over first makes `confirm`
 * fail and then removes every file beside (`removeLeftovers`), in this order. A file beside that was made before is removed, and
 * the rename finds nothing to rename; one that is made afterwards meets a `confirm` that fails.
 */
export const replaceDurably = async (
  file: string,
  content: string | Uint8Array,
  confirm: () => Promise<void> = () => Promise.resolve(),
): Promise<void> => {
  const replaced = await open(file, 'r+').catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  });
  try {
    await writeBeside(file, content, confirm);
    if (replaced) await overwrite(replaced);
  } finally {
    await replaced?.close();
  }
};

const writeBeside = async (file: string, content: string | Uint8Array, confirm: () => Promise<void>): Promise<void> => {
  const beside = besideIn(dirname(file));
  const handle = await open(beside, 'wx', 0o600);
  try {
    await handle.writeFile(content);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await confirm().catch(async (error: unknown) => {
    await destroyFile(beside).catch(() => undefined);
    throw error;
  });
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

/**
 * Removes what a crash, or a process that was stopped, has left between write and rename; it was never relied upon, and may hold
 * a root key. Each gets another name first, in one step: one that was overwritten under its own name could still be renamed by
 * whoever wrote it, and under no name at all it would be forgotten by a crash before it is overwritten.
 */
export const removeLeftovers = async (directory: string): Promise<void> => {
  for (const name of await readdir(directory))
    if (TEMPORARY.test(name)) {
      const nobodys = besideIn(directory);
      const isThere = await rename(join(directory, name), nobodys).then(() => true, isMissing);
      if (isThere) await destroyFile(nobodys);
    }
};

/** Whoever wrote it has renamed it meanwhile: `false`, it is no leftover. Throws any other error. */
const isMissing = (error: unknown): boolean => {
  if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
  throw error;
};

const besideIn = (directory: string): string => join(directory, `.${randomBytes(8).toString('hex')}.new`);
