/**
 * Every refusal and failure that a user can meet, with what it means and the way out. `docs/errors.md` and
 * `/errors/{code}` are made from this list; the HTTP status of each stands in `apps/api/src/http-status.ts`.
 */
export const ERRORS = {
  'invalid-input': {
    meaning: 'The request is not of the form that the route takes.',
    wayOut: 'Read `errors`: it names every field and what would be valid, all at once.',
  },
  unauthenticated: {
    meaning: 'No valid token came with the request.',
    wayOut: 'Send `Authorization: Bearer TOKEN` with a token that has not expired or been revoked.',
  },
  forbidden: {
    meaning: 'The token has none of the roles that the route is for.',
    wayOut: 'Use a token with one of the roles that the documentation names for this route.',
  },
  'purpose-required': {
    meaning: 'The route reads or writes personal data and no purpose was stated.',
    wayOut: 'Send `Makuler-Purpose` with a purpose of the policy (`GET /v1/policy`).',
  },
  'purpose-not-allowed': {
    meaning: 'The stated purpose is unknown, or does not allow the fields asked for.',
    wayOut: 'State the purpose that you really have; the attempt was recorded.',
  },
  'not-found': { meaning: 'There is no such thing, or you may not see it.', wayOut: 'Check the id.' },
  'idempotency-key-required': {
    meaning: 'A POST that writes came without `Idempotency-Key`.',
    wayOut: 'Send a fresh random key with each new command, the same key with each retry.',
  },
  'idempotency-key-reused': {
    meaning: 'The key was used before with another body.',
    wayOut: 'Use a fresh key for a new command.',
  },
  'idempotency-in-progress': {
    meaning: 'The first request with this key is still being worked on.',
    wayOut: 'Repeat after `Retry-After`.',
  },
  'precondition-required': {
    meaning: 'A change came without `If-Match`.',
    wayOut: 'Read the resource and send its `ETag` as `If-Match`.',
  },
  'precondition-failed': {
    meaning: 'Somebody changed the resource since it was read.',
    wayOut: 'Read it again and repeat the change.',
  },
  conflict: {
    meaning: 'The stream was changed by others at the same time, more often than was retried.',
    wayOut: 'Repeat the command with the same idempotency key.',
  },
  'subject-closed': {
    meaning: 'The person is being erased or has been erased: nothing new is stored about them.',
    wayOut: 'A returning customer is registered anew.',
  },
  'illegal-transition': {
    meaning: 'The case cannot go from its state to the one asked for.',
    wayOut: 'Choose one of the states in `allowed`.',
  },
  'plan-changed': {
    meaning: 'The plan is no longer what was approved.',
    wayOut: 'Read the new plan (`plan` says where) and approve its hash.',
  },
  'plan-not-approved': {
    meaning: 'The policy asks for the approval of another person first.',
    wayOut: 'Have an approver approve the plan hash.',
  },
  'four-eyes': {
    meaning: 'Whoever planned may not approve.',
    wayOut: 'Another person with the role `approver` approves.',
  },
  'erasure-in-progress': {
    meaning: 'An erasure of this person is already planned or under way.',
    wayOut: 'Follow that erasure.',
  },
  'erasure-not-finished': {
    meaning: 'The certificate exists only once the erasure is complete.',
    wayOut: 'Follow the erasure until its state is `erased`.',
  },
  'attestation-not-yet': {
    meaning: 'The attestation exists only once every mirror has confirmed that the roots are destroyed.',
    wayOut: 'Ask again after `backupsClearedBy`; until then the certificate says what is planned.',
  },
  'not-fenced': {
    meaning: 'An erasure destroys keys behind a fence only, and the fence is not up.',
    wayOut: 'The erasure is looked at anew by itself.',
  },
  'erasure-not-verified': {
    meaning: 'After the shredding something was still there that the plan destroys.',
    wayOut: 'The check is repeated by itself; if it stays, an operator looks at the vault.',
  },
  'not-erasable': {
    meaning: 'A company that is no sole proprietorship is no data subject and cannot be erased like one.',
    wayOut: 'Erase the contact person instead.',
  },
  'duplicate-source-key': {
    meaning: 'The source already has a record under this key.',
    wayOut: 'Nothing to do: it was imported before.',
  },
  'past-maximum': {
    meaning: 'The record is older than the policy lets us keep it.',
    wayOut: 'Nothing to do: it is not stored.',
  },
  'national-id-refused': {
    meaning: 'The text contains an eleven-digit national id, which the statement does not collect.',
    wayOut: 'Remove it from the text.',
  },
  'vault-unavailable': {
    meaning: 'The key vault cannot be asked, so personal fields can be neither read nor written.',
    wayOut: 'Repeat after `Retry-After`; nothing was lost or erased.',
  },
  'store-unavailable': { meaning: 'The event store does not answer.', wayOut: 'Repeat with the same idempotency key.' },
  'database-unavailable': { meaning: 'The database does not answer.', wayOut: 'Repeat with the same idempotency key.' },
  'queue-unavailable': {
    meaning: 'The store of the job queues does not answer.',
    wayOut: 'Repeat later; what has to be done stands in the log and is not lost.',
  },
  'database-not-durable': {
    meaning: 'The database may lose what it has acknowledged: fsync, synchronous_commit or full_page_writes is off.',
    wayOut: 'Turn the settings on that the message names; Makuler does not run without them.',
  },
  'backup-damaged': {
    meaning: 'The backup set is not whole: a part is missing, changed or unreadable. Nothing of it was written.',
    wayOut: 'Take another set: `makuler backup --list` names them.',
  },
  'backup-newer': {
    meaning: 'The backup set was made by a newer version, or is of a format that this version does not know.',
    wayOut: 'Restore it with the version that made it, or a later one.',
  },
  'backup-foreign': {
    meaning: 'The backup set is of another installation than the custodian: its roots open nothing of it.',
    wayOut: 'Bring the set and the custodian of the same installation together.',
  },
  'backup-in-progress': {
    meaning: 'Another backup of this installation is being written.',
    wayOut: 'Wait until it is done.',
  },
  'backup-misplaced': {
    meaning: 'The directory is no place for backups: it lies inside the custodian, which is to be in no backup.',
    wayOut: 'Choose another directory, best on another device.',
  },
  'restore-not-empty': {
    meaning: 'What is to be restored into holds something else already. Nothing of it was changed.',
    wayOut: 'Restore into an empty home and empty databases.',
  },
  'scope-unknown': {
    meaning: 'The vault has no record of a key that an event names: a fault or an out-of-date vault, never an erasure.',
    wayOut: 'An operator looks at `makuler status`.',
  },
  'key-damaged': {
    meaning:
      'A record of the vault does not authenticate: it was changed, moved or damaged. It is never read as an erasure.',
    wayOut: 'An operator restores the vault from its last good backup.',
  },
  'mirror-unknown': {
    meaning: 'No mirror of the custodian that is enrolled has this id, or no place of it is known.',
    wayOut: 'Take an id from `makuler custodian status`.',
  },
  'mirror-unfit': {
    meaning: 'The place can’t be, or be made again, a mirror of this custodian.',
    wayOut: 'The detail says what is wrong with it.',
  },
  'mirror-last': {
    meaning: 'No other mirror of the custodian is present, so this one may not be retired.',
    wayOut: 'Bring another mirror back, or add one, and retire this one then.',
  },
  'nothing-lost': {
    meaning: 'The vault is not closed for a loss that could be accepted.',
    wayOut: 'Read `makuler status`: it says how the gate stands and what to do.',
  },
  'block-tampered': {
    meaning: 'A sealed block does not open under its key: it was changed or moved.',
    wayOut: 'An operator looks at the log.',
  },
  'scope-shredded': {
    meaning: 'The key was destroyed and is never made again.',
    wayOut: 'A new case or purchase opens a new partition.',
  },
  'scope-stream-mismatch': {
    meaning: 'A scope may stand in one stream only.',
    wayOut: 'This is a fault in the program: report it.',
  },
  'projection-behind': {
    meaning: 'The read model has not reached the position asked for.',
    wayOut: 'Repeat after `Retry-After`.',
  },
  'projection-failed': {
    meaning: 'The projection stopped at an event that it could not handle.',
    wayOut: 'An operator looks at `GET /v1/projections`, mends the cause and rebuilds.',
  },
  'lookup-warming': { meaning: 'The look-up index is being built.', wayOut: 'Repeat after `Retry-After`.' },
  'clock-implausible': {
    meaning: 'The clock is far from the last trusted instant.',
    wayOut: 'Mend the clock, or confirm it with `makuler clock confirm`.',
  },
  'checkpoint-stale': {
    meaning: 'The custodian has witnessed a checkpoint that covers more of the log, or as much with another link.',
    wayOut: 'This may be an earlier log, or a changed one: an operator runs `makuler verify-log`.',
  },
  'log-altered': {
    meaning:
      'The log is not the one that its last checkpoint was made of: an event was changed, removed, inserted or moved.',
    wayOut:
      'No further checkpoint is made. An operator runs `makuler verify-log`, which says where, and restores the log.',
  },
  'identity-provider-unavailable': {
    meaning: 'The provider of bearer tokens (OpenID Connect) cannot be asked for its keys.',
    wayOut: 'Repeat later, or use a token of Makuler’s own.',
  },
  'rate-limited': { meaning: 'Too many requests.', wayOut: 'Repeat after `Retry-After`.' },
  'request-timeout': {
    meaning: 'The request did not arrive whole within the time for it.',
    wayOut: 'Send it again, in one go.',
  },
  'payload-too-large': { meaning: 'The body is larger than the route takes.', wayOut: 'Send less at once.' },
  'unsupported-media-type': {
    meaning: 'The route takes `application/json`.',
    wayOut: 'Send JSON with that content type.',
  },
  internal: { meaning: 'Something went wrong on our side.', wayOut: 'Report the `requestId`.' },
} as const satisfies Record<string, { meaning: string; wayOut: string }>;

export type ErrorCode = keyof typeof ERRORS;

/** One problem of the input: where, what, and how it would be right. Never the value itself. */
export interface InputProblem {
  readonly path: string;
  readonly code: string;
  readonly message: string;
}

export interface ErrorFacts {
  /** One sentence for this occurrence, without any personal value. */
  readonly detail?: string;
  readonly errors?: readonly InputProblem[];
  /** Further members of the problem document: ids, codes and counts only. */
  readonly facts?: Readonly<Record<string, unknown>>;
  readonly retryAfterSeconds?: number;
  readonly cause?: unknown;
}

/** An expected refusal or failure, with a stable code. Foreign errors become one at the boundary of each system. */
export class MakulerError extends Error {
  readonly errors: readonly InputProblem[];
  readonly facts: Readonly<Record<string, unknown>>;
  readonly retryAfterSeconds: number | undefined;
  constructor(
    readonly code: ErrorCode,
    facts: ErrorFacts = {},
  ) {
    super(facts.detail ?? ERRORS[code].meaning, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.name = 'MakulerError';
    this.errors = facts.errors ?? [];
    this.facts = facts.facts ?? {};
    this.retryAfterSeconds = facts.retryAfterSeconds;
  }
}

export const isMakulerError = (error: unknown, code?: ErrorCode): error is MakulerError =>
  error instanceof MakulerError && (code === undefined || error.code === code);
