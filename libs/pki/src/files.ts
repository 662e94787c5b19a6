import { randomBytes } from 'node:crypto';
import { link, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** The file's text, or `undefined` when there is none. Every other failure throws. */
export const readIfThere = async (file: string): Promise<string | undefined> => {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
};

const flushDirectory = async (directory: string): Promise<void> => {
  const handle = await open(directory, 'r');
  await handle.sync().finally(() => handle.close());
};

const writeBeside = async (file: string, text: string, mode: number): Promise<string> => {
  const beside = join(dirname(file), `.${randomBytes(8).toString('hex')}.new`);
  const handle = await open(beside, 'wx', mode);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  return beside;
};

/**
 * Writes the file whole or not at all, unless it is there already; returns what it then holds. Of two processes that
 * create it at once both get the same text, because `link` never replaces.
 */
export const createOnce = async (file: string, text: string, mode: number): Promise<string> => {
  const beside = await writeBeside(file, text, mode);
  try {
    await link(beside, file);
    await flushDirectory(dirname(file));
    return text;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return await readFile(file, 'utf8');
  } finally {
    await rm(beside, { force: true });
  }
};

/** Replaces the file: a reader, or a crash, sees the old text or the new one. */
export const replace = async (file: string, text: string, mode: number): Promise<void> => {
  await rename(await writeBeside(file, text, mode), file);
  await flushDirectory(dirname(file));
};
