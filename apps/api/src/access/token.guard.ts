import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { Refusals } from '#access';
import { MakulerError } from '#kernel';
import type { TokenHolder } from '#tokens';
import type { ApiRequest } from './caller.js';
import { CachedTokens } from './cached-tokens.js';
import { rolesOf } from './roles.js';

/** Who is it (401), and may this role call the route (403). Runs before every other guard. */
@Injectable()
export class TokenGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly tokens: CachedTokens,
    private readonly refusals: Refusals,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<ApiRequest>();
    const roles = rolesOf(this.reflector, context.getHandler(), context.getClass()) ?? [];
    if (roles.includes('public')) return true;
    const token = /^Bearer ([\x21-\x7e]{1,8192})$/i.exec(request.headers.authorization ?? '')?.[1];
    const caller = token === undefined ? undefined : await this.tokens.verify(token);
    if (!caller) throw new MakulerError('unauthenticated');
    if (!roles.includes('any') && !caller.roles.some((role) => (roles as readonly string[]).includes(role)))
      await this.#refuse(request, caller);
    request.caller = caller;
    return true;
  }

  /** An attempt beyond one's role is written down (P9), where it was and by whom: what was asked for is not looked at. */
  async #refuse({ method, routeOptions }: ApiRequest, caller: TokenHolder): Promise<never> {
    // Whether or not it can be written down now: nothing was read, and nobody is to tell an outage from a refusal here.
    await this.refusals
      .record(caller, { beyond: 'role', method, route: routeOptions.url ?? '' })
      .catch(() => undefined);
    throw new MakulerError('forbidden');
  }
}
