import { readJson, writePrivate } from './files.js';
import type { Home } from './home.js';

/** What one run of a home tells the next. */
export interface State {
  /** tokens.json was made; it is not made again when somebody removes it. */
  readonly tokensMade?: boolean;
  /** The home is being filled from a backup set, or was: under which name the vault's life begins with it. */
  readonly restore?: { readonly setId: string; readonly incarnation: string; readonly done: boolean };
  readonly ports?: { readonly vault: number; readonly eventNode: number };
}

export const readState = async (home: Home): Promise<State> => (await readJson<State>(home.state)) ?? {};

/** Changes some of it. Only the holder of the home's lock may, one change after the other. */
export const updateState = async (home: Home, change: State): Promise<void> =>
  writePrivate(home.state, { ...(await readState(home)), ...change });
