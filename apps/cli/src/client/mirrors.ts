import type { Home } from '../up/home.js';
import { askVault } from './vault-operations.js';

/** What somebody should look after at the custodian: losing one mirror costs nothing, and losing the next one everything. */
export const mirrorWarningsOf = async (home: Home): Promise<readonly string[]> => {
  const mirrors = (await askVault(home, (operations) => operations.mirrors())) ?? [];
  return mirrors.flatMap(({ message }) => (message === undefined ? [] : [message]));
};
