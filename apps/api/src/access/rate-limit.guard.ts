import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyReply } from 'fastify';
import type { ApiRequest } from './caller.js';
import { RateLimits } from './rate-limits.js';

/** The route looks persons up: it is counted among the look-ups too. */
export const LooksUp = Reflector.createDecorator<true>();

/** Counts what a token asks for. Runs after it is known whose token it is. */
@Injectable()
export class RateLimitGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly limits: RateLimits,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const http = context.switchToHttp();
    const [request, reply] = [http.getRequest<ApiRequest>(), http.getResponse<FastifyReply>()];
    if (!request.caller) return true;
    await this.limits.count('token', request, reply);
    if (this.reflector.get(LooksUp, context.getHandler())) await this.limits.count('lookups', request, reply);
    return true;
  }
}
