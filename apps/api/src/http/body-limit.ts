import { RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyInstance } from 'fastify';

/** Bytes of a body at most, where a route doesn't say otherwise. */
export const BODY_LIMIT = 1_048_576;

/** `@BodyLimit(4 * BODY_LIMIT)`: the route takes larger bodies. Above it: 413 `payload-too-large`. */
export const BodyLimit = (bytes: number) => RouteConfig({ bodyLimit: bytes });

/** Hands the limit of a route to Fastify, which stops reading there. Before the routes are registered. */
export const applyBodyLimits = (fastify: FastifyInstance): void => {
  fastify.addHook('onRoute', (route) => {
    const { bodyLimit } = (route.config ?? {}) as { bodyLimit?: number };
    if (bodyLimit !== undefined) route.bodyLimit = bodyLimit;
  });
};
