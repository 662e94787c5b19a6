import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { Refusals } from '#access';
import type { Category } from '#events';
import { MakulerError } from '#kernel';
import { Policy } from '#policy';
import type { TokenHolder } from '#tokens';
import type { ApiRequest } from './caller.js';
import { personalDataUseOf } from './personal-data.js';

/**
 * Personal data is read and written for a purpose that the policy allows to one of the caller's roles (statement S6), stated
 * as `Makuler-Purpose` or by the token. What isn't allowed is refused and written down; if it can't be written down, the
 * answer says so instead.
 */
@Injectable()
export class PurposeGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly policy: Policy,
    private readonly refusals: Refusals,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<ApiRequest>();
    const { caller } = request;
    const use = personalDataUseOf(this.reflector, context.getHandler(), context.getClass());
    if (!use || !caller) return true;
    const header = request.headers['makuler-purpose'];
    const purpose = typeof header === 'string' ? header.trim() : caller.defaultPurpose;
    if (!purpose) throw new MakulerError('purpose-required');
    const read = (use.read ?? []).filter((category) => !this.policy.mayRead(purpose, caller.roles, category));
    const write = (use.write ?? []).filter((category) => !this.policy.mayWrite(purpose, caller.roles, category));
    const any = (use.readAny ?? []).filter((category) => this.policy.mayRead(purpose, caller.roles, category));
    if (read.length > 0) await this.#refuse(request, caller, purpose, 'read', read);
    if (use.readAny && any.length === 0) await this.#refuse(request, caller, purpose, 'read', use.readAny);
    if (write.length > 0) await this.#refuse(request, caller, purpose, 'write', write);
    request.purpose = purpose;
    if (use.read || use.readAny) request.reads = [...(use.read ?? []), ...any];
    return true;
  }

  async #refuse(
    request: ApiRequest,
    caller: TokenHolder,
    purpose: string,
    mode: 'read' | 'write',
    categories: readonly Category[],
  ): Promise<never> {
    const known = this.policy.purpose(purpose) !== undefined;
    const route = request.routeOptions.url ?? '';
    const statedPurpose = known ? purpose : null;
    await this.refusals.record(caller, { beyond: 'purpose', route, statedPurpose, categories, mode });
    throw new MakulerError('purpose-not-allowed', {
      detail: known
        ? `The purpose does not let this token ${mode} ${categories.join(', ')}. The attempt was recorded.`
        : 'The policy knows no such purpose (GET /v1/policy names them). The attempt was recorded.',
    });
  }
}
