import { MakulerError } from '#kernel';

/**
 * An error of PostgreSQL without anything that may repeat a stored or sent value. The server's `detail`, `where` and
 * `internalQuery` quote rows and parameters ("Key (email)=(…) already exists"), and so do its messages of classes 22
 * (data) and 23 (constraint): those are replaced, the others name things of our own SQL and stay.
 */
export class DatabaseError extends Error {
  constructor(
    /** SQLSTATE, five characters. */
    readonly code: string,
    message: string,
    readonly constraint: string | undefined,
    readonly table: string | undefined,
    readonly column: string | undefined,
  ) {
    super(message);
    this.name = 'DatabaseError';
  }
}

/** SQLSTATEs after which another attempt of the whole transaction may succeed. */
const TRANSIENT = new Set(['40001', '40P01']);
export const isSerializationFailure = (error: unknown): boolean =>
  error instanceof DatabaseError && TRANSIENT.has(error.code);
/** A unique constraint refused the row; with a name, that constraint only. */
export const isUniqueViolation = (error: unknown, constraint?: string): boolean =>
  error instanceof DatabaseError &&
  error.code === '23505' &&
  (constraint === undefined || error.constraint === constraint);

const NETWORK = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH']);
/** Shutting down, crashed, starting up, or too many connections: the database is there, and not for us. */
const AWAY = /^(08...|57P0[1-5]|53300)$/;
/** What `pg` throws without any code. */
const CONNECTION_LOST =
  /^(Connection terminated|timeout exceeded when trying to connect|Client has encountered|Client was closed)/;

type Foreign = { readonly message: string } & {
  readonly [K in 'code' | 'severity' | 'constraint' | 'table' | 'column']?: string;
};
// By shape: an error of Node itself is no `instanceof Error` where the program runs in a context of its own (Jest).
const isForeign = (error: unknown): error is Foreign =>
  typeof error === 'object' && error !== null && typeof (error as Partial<Foreign>).message === 'string';

/** The one boundary between `pg` and us: `database-unavailable`, a DatabaseError without values, or the error as it is. */
export const translateError = (error: unknown): unknown => {
  if (error instanceof DatabaseError || error instanceof MakulerError || !isForeign(error)) return error;
  const { code, severity, constraint, table, column } = error;
  if ((code && (NETWORK.has(code) || AWAY.test(code))) || CONNECTION_LOST.test(error.message))
    return new MakulerError('database-unavailable', {
      detail: `The database does not answer (${code ?? 'connection lost'}).`,
    });
  if (!code || !severity) return error;
  return new DatabaseError(
    code,
    messageOf(code, error.message, { constraint, table, column }),
    constraint,
    table,
    column,
  );
};

const messageOf = (code: string, message: string, at: Record<string, string | undefined>): string => {
  if (!/^2[23]/.test(code)) return `${message} (SQLSTATE ${code})`;
  const where = Object.entries(at).flatMap(([kind, name]) => (name ? [`${kind} ${name}`] : []));
  return [`The database refused a value (SQLSTATE ${code})`, ...where].join(', ');
};
