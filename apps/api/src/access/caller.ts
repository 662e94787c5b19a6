import type { FastifyRequest } from 'fastify';
import type { Category } from '#events';
import type { TokenHolder } from '#tokens';

/** What the guards and interceptors leave on a request for one another. */
export interface ApiRequest extends FastifyRequest {
  /** Whoever sent the request, as the token says: ids and codes only. Absent on public routes. */
  caller?: TokenHolder;
  /** The purpose stated and allowed, where the route asks for one. */
  purpose?: string;
  /** The categories that the route reads and the purpose allows, where it reads personal data. */
  reads?: readonly Category[];
  /** Asked immediately before the answer leaves (P1); throws when what was opened may be out of date. */
  assertCurrent?: () => void;
}
