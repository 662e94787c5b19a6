import { chmod, mkdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Refusal } from '../refusal.js';

/** Where things lie in MAKULER_HOME. */
export interface Home {
  readonly directory: string;
  readonly lock: string;
  readonly running: string;
  readonly installation: string;
  readonly secrets: string;
  readonly tokens: string;
  readonly state: string;
  readonly certificates: string;
  readonly logs: string;
  readonly postgres: string;
  readonly compileCache: string;
}

export const homeIn = (path: string): Home => {
  const directory = resolve(path);
  const at = (name: string) => join(directory, name);
  return {
    directory,
    lock: at('lock'),
    running: at('running.json'),
    installation: at('installation'),
    secrets: at('secrets.json'),
    tokens: at('tokens.json'),
    state: at('state.json'),
    certificates: at('certificates'),
    logs: at('logs'),
    postgres: at('postgres'),
    compileCache: at('cache/compile'),
  };
};

/** Default custodian: two mirrors beside the home, never inside it, so that no copy of the home takes the root keys along. */
export const defaultCustodian = (home: Home): readonly string[] =>
  ['a', 'b'].map((mirror) => join(`${home.directory}-custodian`, mirror));

/** Makes the directories; closed to others, except that root must let PostgreSQL's user pass through. */
export const makeHome = async (home: Home): Promise<void> => {
  try {
    await mkdir(home.directory, { recursive: true });
    await chmod(home.directory, process.getuid?.() === 0 ? 0o711 : 0o700);
    for (const directory of [home.certificates, home.logs, home.compileCache])
      await mkdir(directory, { recursive: true, mode: 0o700 });
  } catch (error) {
    if (!['EACCES', 'EPERM', 'EROFS'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    throw new Refusal(`The home ${home.directory} cannot be written.`, await whoseWord(home));
  }
};

const whoseWord = async ({ directory }: Home): Promise<string> => {
  const owner = await stat(directory).then(
    ({ uid }) => uid,
    () => undefined,
  );
  return owner !== undefined && owner !== process.getuid?.()
    ? 'It belongs to another user of this machine: start as that user, or choose another place with --home.'
    : 'Choose another place with --home or MAKULER_HOME.';
};
