import { SystemClock } from '#kernel';
import { createPool } from '#postgres';
import { TOKEN_ROLES, Tokens } from '#tokens';
import { writePrivate } from './files.js';
import type { Home } from './home.js';
import { readState, updateState } from './state.js';

const LABEL = 'made at first start';

/**
 * At first start, one token for each role, in `tokens.json` (mode 0600). A file that was removed is not made again. Made anew
 * from the beginning when a crash came before the file was written: what stands only in the database is nobody's.
 */
export const ensureFirstTokens = async (home: Home, controlUrl: string): Promise<boolean> => {
  if ((await readState(home)).tokensMade) return false;
  const pool = createPool(controlUrl, { name: 'makuler up', max: 1 });
  try {
    const tokens = new Tokens(pool, new SystemClock());
    await tokens.migrate();
    for (const { tokenId, label } of await tokens.list()) if (label === LABEL) await tokens.revoke(tokenId);
    const made: Record<string, string> = {};
    for (const role of TOKEN_ROLES) made[role] = (await tokens.create({ roles: [role], label: LABEL })).token;
    await writePrivate(home.tokens, made);
    await updateState(home, { tokensMade: true });
    return true;
  } finally {
    await pool.end();
  }
};
