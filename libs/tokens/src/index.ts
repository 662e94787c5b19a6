export type { NewToken, TokenHolder, TokenInfo, TokenRole } from './tokens.js';
export { TOKEN_ROLES, Tokens } from './tokens.js';
export { TOKEN_MIGRATIONS, TOKENS } from './token-table.js';
