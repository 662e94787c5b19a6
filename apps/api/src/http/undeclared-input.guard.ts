import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { Injectable } from '@nestjs/common';
import { RouteParamtypes } from '@nestjs/common/internal';
import { ROUTE_ARGS_METADATA } from '@nestjs/common/constants';
import type { InputProblem } from '#kernel';
import { MakulerError } from '#kernel';
import type { ApiRequest } from '../access/caller.js';

/**
 * Refuses a body or a query on a route that declares none: the input pipe checks only what a handler asks for, so without
 * this a personal value in an address would be passed over in silence. An empty object is nothing; public routes are let be.
 */
@Injectable()
export class UndeclaredInput implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const { caller, body, query } = context.switchToHttp().getRequest<ApiRequest>();
    if (!caller) return true;
    const declared = declaredBy(context);
    const errors: InputProblem[] = [];
    if (!declared.has(RouteParamtypes.BODY) && !isEmpty(body))
      errors.push({ path: '*', code: 'unknown-field', message: 'the route takes no body' });
    if (!declared.has(RouteParamtypes.QUERY) && !isEmpty(query))
      errors.push({ path: '*', code: 'unknown-field', message: 'the route takes nothing behind a question mark' });
    if (errors.length > 0) throw new MakulerError('invalid-input', { errors });
    return true;
  }
}

/** What the handler's parameters are decorated with; Nest keeps it as `type:index`. */
const declaredBy = (context: ExecutionContext): ReadonlySet<RouteParamtypes> => {
  const parameters: object =
    Reflect.getMetadata(ROUTE_ARGS_METADATA, context.getClass(), context.getHandler().name) ?? {};
  return new Set(Object.keys(parameters).map((key) => Number(key.split(':')[0])));
};

const isEmpty = (input: unknown): boolean =>
  input === undefined ||
  input === null ||
  (typeof input === 'object' && !Array.isArray(input) && Object.keys(input).length === 0);
