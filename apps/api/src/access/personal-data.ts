import { Reflector } from '@nestjs/core';
import type { Category } from '#events';

/** Categories of personal data that a route reads or writes. */
export interface PersonalDataUse {
  readonly read?: readonly Category[];
  readonly write?: readonly Category[];
}

/**
 * The route reads or writes personal data: it needs a purpose that the policy allows to one of the caller's roles, for
 * every category named, and each read leaves a trace. A route without it can't answer with a personal value.
 */
export const PersonalData = Reflector.createDecorator<PersonalDataUse>();
