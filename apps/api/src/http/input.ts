import type { ArgumentMetadata } from '@nestjs/common';
import { ValidationPipe } from '@nestjs/common';
import type { ValidationError } from 'class-validator';
import { getMetadataStorage } from 'class-validator';
import type { InputProblem } from '#kernel';
import { MakulerError } from '#kernel';

/**
 * Checks every body, query and path parameter against its DTO. Unknown fields are refused: we do not store what the
 * statement does not name (S10). All problems are named at once, none with the value that was sent.
 */
export const inputPipe = (): ValidationPipe =>
  new StrictPipe({
    transform: true,
    whitelist: true,
    forbidNonWhitelisted: true,
    // A class without any decorator checks nothing; refusing it keeps such a mistake from accepting everything.
    forbidUnknownValues: true,
    stopAtFirstError: false,
    exceptionFactory: (errors) => new MakulerError('invalid-input', { errors: inputProblems(errors) }),
  });

class StrictPipe extends ValidationPipe {
  override transform(value: unknown, metadata: ArgumentMetadata): Promise<unknown> {
    if (holdsPassedOver(value)) {
      const message = 'there is a field that is taken nowhere';
      throw new MakulerError('invalid-input', { errors: [{ path: '*', code: 'unknown-field', message }] });
    }
    return super.transform(value, metadata);
  }
}

// class-transformer passes over fields named like what every object has (`constructor`, `toString`) in silence, and they
// are unknown fields like any other. As deep as the body's parser lets anything be.
const holdsPassedOver = (value: unknown): boolean =>
  typeof value === 'object' &&
  value !== null &&
  (Object.keys(value).some((name) => name in Object.prototype) || Object.values(value).some(holdsPassedOver));

/** The problems of a validation as a flat list, in the order of the input. */
export const inputProblems = (errors: readonly ValidationError[], parent = ''): readonly InputProblem[] =>
  oncePerUnknown(errors).flatMap((error) => [
    ...Object.entries(error.constraints ?? {}).map(([constraint, message]) =>
      constraint === 'whitelistValidation'
        ? unknownField(error, parent)
        : { path: join(parent, error.property), code: kebab(constraint), message: withoutValue(message, error.value) },
    ),
    ...inputProblems(error.children ?? [], join(parent, error.property)),
  ]);

/** A body may have a hundred thousand unknown fields, and the answer for each is the same. */
const oncePerUnknown = (errors: readonly ValidationError[]): readonly ValidationError[] => {
  const isUnknown = ({ constraints }: ValidationError) => constraints?.['whitelistValidation'] !== undefined;
  const first = errors.find(isUnknown);
  return errors.filter((error) => error === first || !isUnknown(error));
};

/** An unknown field's name was made up by the sender and may be anything: it is told by where it stands, and what would fit. */
const unknownField = ({ target }: ValidationError, parent: string): InputProblem => {
  const known = knownFields(target);
  return {
    path: parent === '' ? '*' : `${parent}.*`,
    code: 'unknown-field',
    message: `there is a field that is not taken here${known.length > 0 ? `; taken are ${known.join(', ')}` : ''}`,
  };
};

const knownFields = (target: object | undefined): readonly string[] =>
  target === undefined
    ? []
    : [
        ...new Set(
          getMetadataStorage()
            .getTargetValidationMetadatas(target.constructor, '', false, false)
            .map(({ propertyName }) => propertyName),
        ),
      ];

const join = (parent: string, property: string): string =>
  /^\d+$/.test(property) ? `${parent}[${property}]` : parent === '' ? property : `${parent}.${property}`;

const kebab = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** Our messages never hold the value; this catches a decorator whose author forgot. */
const withoutValue = (message: string, value: unknown): string => {
  const text = typeof value === 'string' || typeof value === 'number' ? String(value) : '';
  return text.length > 1 && message.includes(text) ? 'is not valid' : message;
};
