import { applyDecorators } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { ApiExtension } from '@nestjs/swagger';
import type { Role } from '#kernel';

/** A role that a token may have; `any` lets in every valid token; `public` needs no token at all. */
export type RouteRole = Exclude<Role, 'system'> | 'any' | 'public';

const Rule = Reflector.createDecorator<readonly RouteRole[]>();

/** Who may call a route: `@Roles('integrator', 'compliance')`. A route without it keeps the api from starting. */
export const Roles = (first: RouteRole, ...others: readonly RouteRole[]): MethodDecorator & ClassDecorator =>
  applyDecorators(Rule([first, ...others]), ApiExtension('x-roles', [first, ...others]));

type Target = Parameters<Reflector['get']>[1];

/** The roles of a route: the method's, or else the controller's. Undefined where neither says. */
export const rolesOf = (reflector: Reflector, method: Target, controller: Target): readonly RouteRole[] | undefined =>
  reflector.getAllAndOverride(Rule, [method, controller]);
