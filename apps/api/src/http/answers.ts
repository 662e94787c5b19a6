import type { OwnerRef } from '#kernel';
import type { Position } from '#ledger';

/** What the idempotency record may keep: ids, codes, numbers; never a personal value or anything made of one. */
export type IdsAndCodes =
  string | number | boolean | null | readonly IdsAndCodes[] | { readonly [name: string]: IdsAndCodes };

/** The answer of a command. Everything in it is remembered for repeats. */
export class Accepted {
  constructor(
    readonly ids: { readonly [name: string]: IdsAndCodes },
    readonly options: {
      /** 201 for what was made, 200 (the default) for what was changed, 202 for what goes on in the background. */
      readonly status?: 200 | 201 | 202;
      /** Log position of what was written: `Makuler-Position`. */
      readonly position?: Position;
      /** Revision of the stream that the resource is: `ETag`. */
      readonly revision?: bigint;
      /** Path of the resource that was made. */
      readonly location?: string;
    } = {},
  ) {}
}

/** The answer of a command: `accepted({ customerId }, { status: 201, position, revision, location })`. */
export const accepted = (ids: Accepted['ids'], options: Accepted['options'] = {}): Accepted =>
  new Accepted(ids, options);

/** The answer of a read. */
export class Answer {
  constructor(
    readonly body: unknown,
    readonly options: {
      /** Whose personal data the body holds: each leaves a trace. Required where the route is `@PersonalData({ read })`; empty when there was nothing. */
      readonly about?: readonly OwnerRef[];
      /** Revision of the stream that the resource is: `ETag`, to be sent back as `If-Match`. */
      readonly revision?: bigint;
      /** Columns of the CSV form, for a list that may be empty. */
      readonly columns?: readonly string[];
    } = {},
  ) {}
}

/** One resource, with fields of Opened<T> as the ledger gave them. */
export const resource = (body: object, options: Answer['options'] = {}): Answer => new Answer(body, options);

/** One page of a list; `Accept: text/csv` gives the same rows as CSV and the cursor in `Makuler-Next-Cursor`. */
export const page = (
  items: readonly object[],
  nextCursor: string | undefined,
  options: Omit<Answer['options'], 'revision'> = {},
): Answer => new Answer({ items, nextCursor: nextCursor ?? null }, options);
