import { applyDecorators } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { ApiExtension } from '@nestjs/swagger';
import type { Category } from '#events';

/** Categories of personal data that a route reads or writes. */
export interface PersonalDataUse {
  readonly read?: readonly Category[];
  /** At least one of these must be allowed; what stands under the others is withheld, field by field. */
  readonly readAny?: readonly Category[];
  readonly write?: readonly Category[];
}

const Use = Reflector.createDecorator<PersonalDataUse>();

/**
 * The route reads or writes personal data: it needs a purpose that the policy allows to one of the caller's roles, for
 * every category named, and each read leaves a trace. A route without it can't answer with a personal value.
 */
export const PersonalData = (use: PersonalDataUse): MethodDecorator & ClassDecorator =>
  applyDecorators(Use(use), ApiExtension('x-personal-data', use));

type Target = Parameters<Reflector['get']>[1];

/** What a route says about its use of personal data: the method's word, or else the controller's. */
export const personalDataUseOf = (
  reflector: Reflector,
  method: Target,
  controller: Target,
): PersonalDataUse | undefined => reflector.getAllAndOverride(Use, [method, controller]);
