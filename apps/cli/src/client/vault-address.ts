import { join } from 'node:path';
import type { VaultAddress } from '#vault';
import { readIfThere } from '../up/files.js';
import type { Home } from '../up/home.js';
import { readState } from '../up/state.js';

/** The key vault of a home that runs on this machine, under the command line's own certificate; `undefined` where there is none. */
export const vaultAddressOf = async (home: Home): Promise<VaultAddress | undefined> => {
  const port = (await readState(home)).ports?.vault;
  const files = {
    certFile: join(home.certificates, 'cli.crt'),
    keyFile: join(home.certificates, 'cli.key'),
    caFile: join(home.certificates, 'ca.crt'),
  };
  const there = await Promise.all(Object.values(files).map(readIfThere));
  return port === undefined || there.includes(undefined) ? undefined : { address: `localhost:${port}`, ...files };
};
