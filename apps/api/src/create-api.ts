import helmet from '@fastify/helmet';
import type { Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import type { OpenAPIObject } from '@nestjs/swagger';
import { newId } from '#kernel';
import type { ApiParts } from './app.module.js';
import { AppModule } from './app.module.js';
import { RateLimits } from './access/rate-limits.js';
import { takeJsonOnly } from './http/json-body.js';
import { translateHttpError } from './http/problem.js';
import { putProblem } from './http/put-problem.js';
import { SAFE_HEADERS } from './http/safe-headers.js';
import { refuseRepeatedHeaders } from './http/repeated-headers.js';
import { endConnectionsOnClose } from './http/closing-connections.js';
import { DEFAULT_TIMEOUTS, endUntakenAnswers, timeoutsOf } from './http/timeouts.js';
import { BODY_LIMIT, applyBodyLimits } from './http/body-limit.js';
import { refuseBrokenRequest } from './http/broken-request.js';
import { checkBeforeLeaving } from './http/current-check.js';
import { followRequests } from './metrics/followed-requests.js';
import { measureRequests } from './metrics/measured-requests.js';
import { ApiDocument, openApiDocument } from './system/openapi.js';

/**
 * The api on parts that are connected already: the program passes what its configuration says, a test main under `test/`
 * the same with another clock. Ready for `listen` or `inject`; throws when a route breaks the route rules. `contexts` is
 * for specs of the frame itself.
 */
export const createApi = async (parts: ApiParts, contexts?: readonly Type[]): Promise<NestFastifyApplication> => {
  const timeouts = parts.timeouts ?? DEFAULT_TIMEOUTS;
  const adapter = new FastifyAdapter({
    bodyLimit: BODY_LIMIT,
    ...timeoutsOf(timeouts),
    // Ours, never the client's: a header of theirs could carry anything into the logs.
    genReqId: () => newId(),
    requestIdHeader: false,
    routerOptions: { maxParamLength: 200 },
    // A request that came in while we stop is still served: the answer closes its connection.
    return503OnClosing: false,
    clientErrorHandler: refuseBrokenRequest,
    // A malformed address or an over-long id is answered before any hook or filter runs.
    frameworkErrors: (error: FastifyError, request: FastifyRequest, reply: FastifyReply) => {
      void reply.headers({ ...SAFE_HEADERS, 'makuler-request-id': request.id });
      void reply.send(putProblem(translateHttpError(error), request, reply));
    },
  });
  const app = await NestFactory.create<NestFastifyApplication>(AppModule.of(parts, contexts), adapter, {
    // Nest's own lines quote messages of errors; ours go through the redacting logger.
    logger: false,
    abortOnError: false,
    // Ours is below: Nest's would be registered over it.
    bodyParser: false,
  });
  const fastify = app.getHttpAdapter().getInstance();
  followRequests(fastify as never);
  endConnectionsOnClose(fastify as never);
  await app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'self'"],
        // Swagger UI sets style attributes; nothing else on these pages runs or loads from elsewhere.
        styleSrc: ["'self'", "'unsafe-inline'"],
        imgSrc: ["'self'", 'data:'],
        objectSrc: ["'none'"],
        baseUri: ["'none'"],
        frameAncestors: ["'none'"],
        formAction: ["'self'"],
      },
    },
  });
  applyBodyLimits(fastify as never);
  takeJsonOnly(fastify as never);
  fastify.addHook('onRequest', (request, reply, done) => {
    void reply.header('makuler-request-id', request.id);
    // Every answer may hold personal data or say who exists; none is worth keeping in a cache.
    void reply.header('cache-control', 'no-store');
    done();
  });
  const limits = app.get(RateLimits);
  await limits.bind(fastify as never);
  fastify.addHook('onRequest', (request, reply) => limits.count('address', request, reply));
  refuseRepeatedHeaders(fastify as never);
  measureRequests(fastify as never, parts.metrics);
  endUntakenAnswers(fastify as never, timeouts);
  checkBeforeLeaving(fastify as never);
  app.enableShutdownHooks([]);
  app.get(ApiDocument).current = openApiDocument(app);
  await app.init();
  await fastify.ready();
  return app;
};

/** The OpenAPI document of the shipped api, made from its code alone: nothing is connected or even constructed. */
export const describeApi = async (): Promise<OpenAPIObject> => {
  const app = await NestFactory.create<NestFastifyApplication>(AppModule.of({} as ApiParts), new FastifyAdapter(), {
    logger: false,
    abortOnError: false,
    preview: true,
  });
  return openApiDocument(app);
};
