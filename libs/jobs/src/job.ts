import { isId } from '#kernel';

/**
 * One field of a payload. Jobs stand in clear in the queue's tables, in its backups and in its events: a payload holds ids,
 * codes out of a list, small counts, flags and instants, and nothing that could carry a personal value.
 */
export interface PayloadField<T> {
  readonly admits: (value: unknown) => value is T;
  /** What would be valid, for the message. */
  readonly valid: string;
}

/** A random id (UUIDv7). */
export const id = <T extends string>(): PayloadField<T> => ({
  admits: (value): value is T => isId(value),
  valid: 'an id',
});
/** One of the codes named here. */
export const code = <const C extends string>(...codes: readonly C[]): PayloadField<C> => {
  for (const known of codes) if (!/^[a-z][a-z0-9-]{0,40}$/.test(known)) throw new Error(`"${known}" is no code`);
  return { admits: (value): value is C => codes.includes(value as C), valid: `one of ${codes.join(', ')}` };
};
/** A whole number from 0 to a million: too small for a telephone number or a national id. */
export const count = (): PayloadField<number> => ({
  admits: (value): value is number =>
    Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 1_000_000,
  valid: 'a whole number from 0 to 1000000',
});
export const flag = (): PayloadField<boolean> => ({
  admits: (value): value is boolean => typeof value === 'boolean',
  valid: 'true or false',
});
/** RFC 3339, UTC, as `Date.toISOString()` writes it. */
export const instant = (): PayloadField<string> => ({
  admits: (value): value is string =>
    typeof value === 'string' &&
    /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(value) &&
    !Number.isNaN(Date.parse(value)),
  valid: 'an instant in UTC',
});
/** A field that may be null. */
export const nullable = <T>(field: PayloadField<T>): PayloadField<T | null> => ({
  admits: (value): value is T | null => value === null || field.admits(value),
  valid: `${field.valid}, or null`,
});

export type PayloadFields = Readonly<Record<string, PayloadField<any>>>;
export type PayloadOf<F extends PayloadFields> = {
  readonly [K in keyof F]: F[K] extends PayloadField<infer T> ? T : never;
};

export interface JobOptions {
  /**
   * Attempts until the job is left as failed (default 25, over about a day). Attempts that met an outage don't count: they
   * are repeated until the outage is over.
   */
  readonly attempts?: number;
  /** First delay between attempts in milliseconds, doubled each time up to an hour (default 1000). */
  readonly backoffMs?: number;
  /** How many of this job one worker process does at a time (default 1). */
  readonly concurrency?: number;
}

/** A kind of work with its payload, and the queue that it has of its own. Made by `defineJob`. */
export interface Job<F extends PayloadFields = PayloadFields> {
  readonly name: string;
  readonly fields: F;
  readonly options: Required<JobOptions>;
}

const DEFAULTS = { attempts: 25, backoffMs: 1_000, concurrency: 1 };

/**
 * Declares a job: `defineJob('execute-erasure', { erasureId: id<ErasureId>() })`. Every job can be killed at any moment and
 * is then done again from its start: its processor finds out what is already done.
 */
export const defineJob = <const F extends PayloadFields>(name: string, fields: F, options: JobOptions = {}): Job<F> => {
  if (!/^[a-z][a-z0-9-]{1,40}$/.test(name))
    throw new Error(`"${name}" cannot name a job: lower-case letters, digits and -`);
  return { name, fields, options: { ...DEFAULTS, ...options } };
};

/** What is wrong with a payload: the fields' names and what would be valid, never a value. Empty when nothing is. */
export const problemsOfPayload = (job: Job, payload: unknown): readonly string[] => {
  if (typeof payload !== 'object' || payload === null) return [`${job.name}: the payload is no object`];
  const given = payload as Record<string, unknown>;
  const unknown = Object.keys(given).filter((name) => !Object.hasOwn(job.fields, name)).length;
  return [
    ...(unknown > 0 ? [`${job.name}: ${unknown} undeclared field(s)`] : []),
    ...Object.entries(job.fields).flatMap(([name, field]) =>
      field.admits(given[name]) ? [] : [`${job.name}.${name}: give ${field.valid}`],
    ),
  ];
};
