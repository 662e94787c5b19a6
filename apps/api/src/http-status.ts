import type { ErrorCode } from '#kernel';

/**
 * The one place where an HTTP status is decided (RFC 9110, section 15). Exhaustive by type: a new error code does not
 * compile before it has a status here.
 */
export const HTTP_STATUS = {
  'invalid-input': 400,
  unauthenticated: 401,
  forbidden: 403,
  'purpose-required': 400,
  'purpose-not-allowed': 403,
  'not-found': 404,
  'idempotency-key-required': 400,
  'idempotency-key-reused': 422,
  'idempotency-in-progress': 409,
  'precondition-required': 428,
  'precondition-failed': 412,
  conflict: 409,
  'subject-closed': 409,
  'illegal-transition': 409,
  'plan-changed': 409,
  'plan-not-approved': 409,
  'four-eyes': 403,
  'erasure-in-progress': 409,
  'erasure-not-finished': 409,
  'not-fenced': 409,
  'erasure-not-verified': 500,
  'not-erasable': 409,
  'duplicate-source-key': 409,
  'past-maximum': 422,
  'national-id-refused': 422,
  'vault-unavailable': 503,
  'store-unavailable': 503,
  'database-unavailable': 503,
  'database-not-durable': 503,
  'backup-damaged': 422,
  'backup-newer': 422,
  'backup-foreign': 422,
  'backup-in-progress': 409,
  'backup-misplaced': 422,
  'restore-not-empty': 409,
  'key-damaged': 503,
  'scope-unknown': 503,
  'block-tampered': 500,
  'scope-shredded': 409,
  'scope-stream-mismatch': 500,
  'projection-behind': 503,
  'projection-failed': 503,
  'lookup-warming': 503,
  'clock-implausible': 503,
  'rate-limited': 429,
  'payload-too-large': 413,
  'unsupported-media-type': 415,
  internal: 500,
} as const satisfies Record<ErrorCode, number>;

/** Seconds after which a repeat makes sense, for a 503 or 409 that did not say so itself. */
export const DEFAULT_RETRY_AFTER_SECONDS = 2;
