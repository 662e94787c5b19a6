import type { ServiceError, StatusObject } from '@grpc/grpc-js';
import { Metadata, status } from '@grpc/grpc-js';
import type { ErrorCode } from '#kernel';
import { ERRORS, MakulerError } from '#kernel';

const TRAILER = 'makuler-code';

/** An error as it goes over the wire: code and sentence of a MakulerError; of anything else only that it happened. */
export const toStatus = (error: unknown): Partial<StatusObject> => {
  const known = error instanceof MakulerError ? error : undefined;
  // Of the vault's database being away a caller needs to know one thing: the vault can't be asked.
  const code: ErrorCode = !known || known.code === 'database-unavailable' ? 'vault-unavailable' : known.code;
  const metadata = new Metadata();
  metadata.set(TRAILER, code);
  return {
    code: code === 'vault-unavailable' ? status.UNAVAILABLE : status.FAILED_PRECONDITION,
    details: known?.message ?? 'The vault failed.',
    metadata,
  };
};

/** Whether a vault has said that another one is active. */
export const isStandby = (error: unknown): boolean =>
  (error as Partial<ServiceError>).metadata?.get(TRAILER)[0] === 'vault-unavailable' &&
  /\bstandby\b/.test((error as ServiceError).details);

const isCode = (text: unknown): text is ErrorCode => typeof text === 'string' && Object.hasOwn(ERRORS, text);

/** What came over the wire as an error of ours. Whatever the vault did not say itself means that it can't be asked. */
export const fromStatus = (error: unknown): MakulerError => {
  if (error instanceof MakulerError) return error;
  const code = (error as Partial<ServiceError>).metadata?.get(TRAILER)[0];
  if (isCode(code)) return new MakulerError(code, { detail: (error as ServiceError).details });
  if ((error as Partial<ServiceError>).code === status.PERMISSION_DENIED)
    return new MakulerError('vault-unavailable', {
      detail: 'The vault does not let this program do that.',
      cause: error,
    });
  return unavailable(error);
};

/** Whether a vault itself has answered so, and not the way to it. */
export const isOfVault = (error: unknown): boolean =>
  ((error as Partial<ServiceError>).metadata?.get(TRAILER).length ?? 0) > 0;

/** The vault can't be asked: neither read nor written, and never "erased". */
export const unavailable = (cause?: unknown): MakulerError =>
  new MakulerError('vault-unavailable', { retryAfterSeconds: 2, ...(cause === undefined ? {} : { cause }) });

/** A refusal of one item of a batch, by its code. */
export const refusal = (code: string): MakulerError => (isCode(code) ? new MakulerError(code) : unavailable());
