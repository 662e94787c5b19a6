import { copyFile, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** A copy of files that are being written: what goes away meanwhile is passed over. Directories are for their owner alone. */
export const copyTree = async (from: string, to: string, wanted = (_path: string) => true): Promise<void> => {
  await mkdir(to, { recursive: true, mode: 0o700 });
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const path = join(from, entry.name);
    if (entry.isDirectory()) await copyTree(path, join(to, entry.name), wanted);
    else if (entry.isFile() && wanted(path)) await copyFile(path, join(to, entry.name)).catch(ignoreMissing);
  }
};

const ignoreMissing = (error: unknown): void => {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
};
