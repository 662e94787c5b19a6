export type { NewToken, TokenHolder, TokenInfo, TokenRole } from './tokens.js';
export { TOKEN_ROLES, Tokens } from './tokens.js';
