import { cp, mkdir, mkdtemp, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** A way to break a promise: a change of the compiled code that a plausible refactoring might make. */
export interface Sabotage {
  readonly name: string;
  /** Below dist/. */
  readonly file: string;
  /** Must stand there exactly once: a refactoring can't disarm the sabotage silently. */
  readonly find: string;
  readonly replace: string;
}

/** The vault's main of what is shipped. */
export const SHIPPED_VAULT = join(ROOT, 'dist/apps/vault/src/main.js');

/** Copies the built code below `directory`, breaks it, and returns the main of its vault. Throws when it can't be broken as described. */
export const sabotaged = async (changes: readonly Sabotage[], directory: string): Promise<string> => {
  const copy = await mkdtemp(join(directory, 'build-'));
  await mkdir(join(copy, 'dist/apps'), { recursive: true });
  await cp(join(ROOT, 'dist/libs'), join(copy, 'dist/libs'), { recursive: true });
  await cp(join(ROOT, 'dist/apps/vault'), join(copy, 'dist/apps/vault'), { recursive: true });
  await cp(join(ROOT, 'package.json'), join(copy, 'package.json'));
  await symlink(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
  for (const { name, file, find, replace } of changes) {
    const path = join(copy, 'dist', file);
    const code = await readFile(path, 'utf8');
    const times = code.split(find).length - 1;
    if (times !== 1) throw new Error(`${name}: what is to be replaced stands ${times} times in ${file}, not once`);
    await writeFile(
      path,
      code.replace(find, () => replace),
    );
  }
  return join(copy, 'dist/apps/vault/src/main.js');
};
