import { open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Writes a small private file (mode 0600) whole or not at all, and on disk before it returns. */
export const writePrivate = async (file: string, content: unknown): Promise<void> => {
  const beside = `${file}.${process.pid}.new`;
  const handle = await open(beside, 'w', 0o600);
  try {
    await handle.writeFile(typeof content === 'string' ? content : `${JSON.stringify(content, null, 2)}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(beside, file);
  const directory = await open(dirname(file), 'r');
  await directory.sync().finally(() => directory.close());
};

/** The content of a file, or undefined when there is none. Other failures throw. */
export const readIfThere = (file: string): Promise<string | undefined> =>
  readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });

/** A JSON file of ours, or undefined when there is none. */
export const readJson = async <T>(file: string): Promise<T | undefined> => {
  const content = await readIfThere(file);
  return content === undefined ? undefined : (JSON.parse(content) as T);
};
