import type { AddressInfo } from 'node:net';
import type { Parts } from '#composition';
import { announce, exitWithParent, logProcess, stopOnSignal } from '#observability';
import { ProjectionStates } from '#projections';
import type { OidcSettings } from '#tokens';
import { Bearers, OidcTokens, Tokens } from '#tokens';
import type { RateLimitSettings } from './access/rate-limits.js';
import { createApi } from './create-api.js';

interface ServeOptions {
  readonly host: string;
  readonly port: number;
  readonly rateLimits?: RateLimitSettings;
  /** A provider whose bearer tokens are taken too. */
  readonly oidc?: OidcSettings | undefined;
}

/**
 * Runs the api on connected parts until SIGTERM, and prints the ready line when it listens. `main.ts` is one caller; mains
 * under `test/` are others, with parts on another clock.
 */
export const serve = async (parts: Parts, { host, port, rateLimits, oidc }: ServeOptions): Promise<void> => {
  logProcess(parts.logger);
  const tokens = new Tokens(parts.control, parts.clock);
  await tokens.migrate();
  const api = await createApi({
    ...parts,
    tokens: new Bearers(tokens, oidc && new OidcTokens(parts.control, parts.clock, oidc)),
    projections: new ProjectionStates(parts.readModels),
    ...(rateLimits && { rateLimits }),
  });
  await api.listen(port, host);
  exitWithParent();
  stopOnSignal(
    async () => {
      await api.close();
      await parts.close();
    },
    (error) => parts.logger.error(error, 'the api did not stop cleanly'),
  );
  const bound = api.getHttpServer().address() as AddressInfo;
  const name = bound.family === 'IPv6' ? `[${bound.address}]` : bound.address;
  announce(parts.logger, 'ready', { address: `http://${name}:${bound.port}` });
};
