import { AsyncResource } from 'node:async_hooks';
import type { CallHandler, ExecutionContext, NestInterceptor } from '@nestjs/common';
import { Inject, Injectable } from '@nestjs/common';
import { ModuleRef, Reflector } from '@nestjs/core';
import type { FastifyReply } from 'fastify';
import type { Observable } from 'rxjs';
import { from, lastValueFrom } from 'rxjs';
import type { CommandContext, IdSource } from '#kernel';
import { MakulerError, RandomIds, inContext, isMakulerError } from '#kernel';
import { LOGGER } from '#composition';
import { Ledger } from '#ledger';
import type { Logger } from '#observability';
import type { ApiRequest } from '../access/caller.js';
import { Accepted } from '../http/answers.js';
import { etagOf } from '../http/etag.js';
import { renderOpened } from '../http/render-opened.js';
import type { Outcome } from './idempotency.js';
import { Idempotency } from './idempotency.js';
import { RenderedBy, isCommand } from './is-command.js';

/** A key that a client made: printable ASCII, long enough that two clients of one token don't choose the same by accident. */
const KEY = /^[\x21-\x7e]{8,200}$/;

/**
 * Runs a command with its context, once for each `Idempotency-Key`, and makes its answer from the outcome: the first
 * answer and every repeat come from the same remembered ids. A POST needs a key; a change with `If-Match` may have one.
 */
@Injectable()
export class CommandInterceptor implements NestInterceptor {
  constructor(
    private readonly reflector: Reflector,
    private readonly idempotency: Idempotency,
    private readonly modules: ModuleRef,
    private readonly ledger: Ledger,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return isCommand(this.reflector, context) ? from(this.#answer(context, next)) : next.handle();
  }

  async #answer(context: ExecutionContext, next: CallHandler): Promise<unknown> {
    const http = context.switchToHttp();
    const request = http.getRequest<ApiRequest>();
    const reply = http.getResponse<FastifyReply>();
    const key = keyOf(request);
    const { outcome, replayed } =
      key === undefined
        ? { outcome: await this.#run(request, new RandomIds(), next), replayed: false }
        : await this.#runOnce(key, request, next);
    if (replayed) void reply.header('idempotency-replayed', 'true');
    return this.#render(context, outcome, reply);
  }

  async #runOnce(
    key: string,
    request: ApiRequest,
    next: CallHandler,
  ): Promise<{ outcome: Outcome; replayed: boolean }> {
    const reserved = await this.idempotency.reserve({
      actor: request.caller!.actorId,
      route: `${request.method} ${request.url}`,
      key,
      body: request.body,
    });
    if (reserved.state === 'finished') return { outcome: reserved.outcome, replayed: true };
    const { record, ids } = reserved;
    let outcome: Outcome;
    try {
      outcome = await this.#run(request, ids, next);
    } catch (error) {
      // A database that is away may not hide the refusal: the hold on the key ends by itself.
      const freeing = isMakulerError(error, 'invalid-input')
        ? this.idempotency.forget(record)
        : this.idempotency.release(record);
      await freeing.catch(() => undefined);
      throw error;
    }
    // What was written is written: if the mark can't be set, a repeat finds the events in the log by their reserved ids.
    await this.idempotency
      .finish(record, outcome)
      .catch((err: unknown) =>
        this.logger.warn({ err, requestId: request.id }, 'a command could not be marked finished'),
      );
    return { outcome, replayed: false };
  }

  async #run(request: ApiRequest, ids: IdSource, next: CallHandler): Promise<Outcome> {
    const answer: unknown = await inContext(contextOf(request, ids), () => lastValueFrom(next.handle()));
    if (!(answer instanceof Accepted))
      throw new Error('a command answers with accepted(…), or the route is @ReadsOnly()');
    const { status, position, revision, location } = answer.options;
    return {
      ids: answer.ids,
      status: status ?? 200,
      ...(position === undefined ? {} : { position: position.toString() }),
      ...(revision === undefined ? {} : { revision: revision.toString() }),
      ...(location === undefined ? {} : { location }),
    };
  }

  /** Only from the outcome, so that a repeat can't answer otherwise than the first time. */
  async #render(context: ExecutionContext, outcome: Outcome, reply: FastifyReply): Promise<unknown> {
    const { ids, status, position, revision, location } = outcome;
    void reply.code(Number(status));
    if (position !== undefined) void reply.header('makuler-position', position);
    if (typeof revision === 'string') void reply.header('etag', etagOf(BigInt(revision)));
    if (location !== undefined) void reply.header('location', location);
    const renderer = this.reflector.get(RenderedBy, context.getHandler());
    return renderer === undefined ? ids : this.#renderBody(context, renderer, ids);
  }

  /** A body made anew is read anew: in a context of its own, and checked once more before it leaves (P1). */
  #renderBody(context: ExecutionContext, renderer: string, ids: unknown): Promise<unknown> {
    const request = context.switchToHttp().getRequest<ApiRequest>();
    const controller = this.modules.get<Record<string, (ids: unknown) => Promise<unknown>>>(context.getClass(), {
      strict: false,
    });
    return inContext(contextOf(request, new RandomIds()), () =>
      this.ledger.reading(async () => {
        const { body, revealed } = renderOpened(await controller[renderer]!(ids));
        if (revealed) throw new Error(`${renderer} renders a personal value: leave it to a read, which leaves a trace`);
        request.assertCurrent = AsyncResource.bind(() => this.ledger.assertCurrent());
        return body;
      }),
    );
  }
}

const contextOf = ({ caller, purpose }: ApiRequest, ids: IdSource): CommandContext => ({
  actor: caller!.actorId,
  roles: caller!.roles,
  ids,
  ...(purpose === undefined ? {} : { purpose }),
});

const keyOf = (request: ApiRequest): string | undefined => {
  const key = request.headers['idempotency-key'];
  if (key === undefined) {
    if (request.method !== 'POST') return undefined;
    throw new MakulerError('idempotency-key-required');
  }
  if (typeof key === 'string' && KEY.test(key)) return key;
  throw new MakulerError('invalid-input', {
    errors: [
      { path: 'Idempotency-Key', code: 'key', message: 'give 8 to 200 printable ASCII characters, e.g. a UUID' },
    ],
  });
};
