import type { ExecutionContext } from '@nestjs/common';
import { HttpCode, applyDecorators } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { ApiExtension } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';

const ReadsOnlyRule = Reflector.createDecorator<true>();

/** A POST that writes nothing (a search, a dry run): no idempotency key, the answer is that of a read, and its status 200. */
export const ReadsOnly = (): MethodDecorator =>
  applyDecorators(ReadsOnlyRule(true), HttpCode(200), ApiExtension('x-reads-only', true));

/**
 * Names the controller's method that makes the body of a command's answer anew from the remembered ids, where the body is
 * more than those (a plan): `@RenderedBy('planBody')`, `planBody(ids): Promise<object>`. Its body holds no personal value.
 */
export const RenderedBy = Reflector.createDecorator<string>();

/** Whatever isn't a read writes, unless it says otherwise: forgetting to say so is the safe mistake. */
export const isCommand = (reflector: Reflector, context: ExecutionContext): boolean =>
  !['GET', 'HEAD'].includes(context.switchToHttp().getRequest<FastifyRequest>().method) &&
  reflector.get(ReadsOnlyRule, context.getHandler()) !== true;
