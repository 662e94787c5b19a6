export { Bearers } from './bearers.js';
export type { OidcSettings } from './oidc.js';
export { oidcIssuer, OidcTokens } from './oidc.js';
export type { NewToken, TokenHolder, TokenInfo, TokenRole } from './tokens.js';
export { TOKEN_ROLES, Tokens } from './tokens.js';
export { TOKEN_MIGRATIONS, TOKENS } from './token-table.js';
