import { AsyncResource } from 'node:async_hooks';
import type { CallHandler, ExecutionContext, NestInterceptor } from '@nestjs/common';
import { Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyReply } from 'fastify';
import type { Observable } from 'rxjs';
import { from, lastValueFrom } from 'rxjs';
import { Traces } from '#access';
import { MakulerError, RandomIds, inContext } from '#kernel';
import { Ledger } from '#ledger';
import { ProjectionStates } from '#projections';
import type { ApiRequest } from '../access/caller.js';
import { isCommand } from '../commands/is-command.js';
import { Answer } from '../http/answers.js';
import { sendAnswer } from '../http/send-answer.js';
import { LONGEST_WAIT_MS, ReadsFrom } from './reads-from.js';

/** Positions are signed 64-bit numbers, in the event store and in the database: no log gets to a greater one. */
const LAST_POSITION = 2n ** 63n - 1n;

/**
 * Runs a read: waits for the position asked for, renders the personal fields, leaves the traces, and arms the check that
 * is asked once more when the answer leaves (P1). Nothing leaves that was not traced, or that the vault can't vouch for.
 */
@Injectable()
export class ReadInterceptor implements NestInterceptor {
  constructor(
    private readonly reflector: Reflector,
    private readonly ledger: Ledger,
    private readonly traces: Traces,
    private readonly states: ProjectionStates,
  ) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const request = context.switchToHttp().getRequest<ApiRequest>();
    if (!request.caller || isCommand(this.reflector, context)) return next.handle();
    const { actorId: actor, roles } = request.caller;
    const purpose = request.purpose === undefined ? {} : { purpose: request.purpose };
    return from(
      inContext({ actor, roles, ids: new RandomIds(), ...purpose }, () =>
        this.ledger.reading(async () => {
          const body = await this.#answer(context, request, next);
          // Bound to this reading: the hook that asks runs outside of it.
          request.assertCurrent = AsyncResource.bind(() => this.ledger.assertCurrent());
          return body;
        }),
      ),
    );
  }

  async #answer(context: ExecutionContext, request: ApiRequest, next: CallHandler): Promise<unknown> {
    await this.#waitForPosition(context, request);
    const answer: unknown = await lastValueFrom(next.handle());
    const { body, revealed } = sendAnswer(answer, request, context.switchToHttp().getResponse<FastifyReply>());
    const { reads } = request;
    if (revealed && !reads)
      throw new Error('a route answers with personal values only if it is @PersonalData({ read })');
    if (!reads) return body;
    const about = answer instanceof Answer ? answer.options.about : undefined;
    if (!about) throw new Error('a read of personal data says whose they are: resource(body, { about: [owner] })');
    if (revealed && about.length === 0)
      throw new Error('personal values were revealed and nobody was named in `about`');
    await this.traces.record({ about, route: request.routeOptions.url ?? '', categories: reads });
    return body;
  }

  async #waitForPosition(context: ExecutionContext, request: ApiRequest): Promise<void> {
    const after = request.headers['makuler-after'];
    if (after === undefined) return;
    if (typeof after !== 'string' || !/^\d{1,19}$/.test(after) || BigInt(after) > LAST_POSITION)
      throw new MakulerError('invalid-input', {
        errors: [{ path: 'Makuler-After', code: 'position', message: 'give the Makuler-Position of a command' }],
      });
    const projections = this.reflector.get(ReadsFrom, context.getHandler()) ?? [];
    await Promise.all(projections.map((p) => this.states.waitFor(p, BigInt(after), LONGEST_WAIT_MS)));
  }
}
