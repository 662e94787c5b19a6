import type { OidcTokens } from './oidc.js';
import type { TokenHolder, Tokens } from './tokens.js';

/** Three parts of base64url: a JWT in compact form (RFC 7519 § 3), which none of our own tokens looks like. */
const JWT = /^[\w-]+\.[\w-]+\.[\w-]+$/;

/** Every bearer token that is taken: our own, and the provider's where there is one. */
export class Bearers {
  constructor(
    private readonly own: Pick<Tokens, 'verify'>,
    private readonly oidc: Pick<OidcTokens, 'verify'> | undefined,
  ) {}

  verify(token: string): Promise<TokenHolder | undefined> {
    return this.oidc && JWT.test(token) ? this.oidc.verify(token) : this.own.verify(token);
  }
}
