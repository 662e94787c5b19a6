import type { ArgumentsHost, ExceptionFilter } from '@nestjs/common';
import { Catch, Inject } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { LOGGER } from '#composition';
import type { Logger } from '#observability';
import { HTTP_STATUS } from '../http-status.js';
import { translateHttpError } from './problem.js';
import { putProblem } from './put-problem.js';

/** Every error of every route, and of the way to it, leaves as a problem document and never repeats what was sent. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(@Inject(LOGGER) private readonly logger: Logger) {}

  catch(exception: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const reply = http.getResponse<FastifyReply>();
    const error = translateHttpError(exception);
    // The route's template, not the address as sent; the logger keeps a foreign error's type and places, not its message.
    if (HTTP_STATUS[error.code] >= 500)
      this.logger.error({ err: error, requestId: request.id, route: request.routeOptions?.url }, 'a request failed');
    void reply.send(putProblem(error, request, reply));
  }
}
