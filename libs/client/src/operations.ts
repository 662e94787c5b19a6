import type { paths } from './generated/api.js';

/** The methods that the API uses. */
export type Method = 'get' | 'post' | 'patch';

/** Paths of the document that have a route for the method, as templates: `/v1/customers/{id}`. */
export type PathOf<M extends Method> = {
  [P in keyof paths]: paths[P] extends { readonly [Name in M]: object } ? P : never;
}[keyof paths];

type Operation<M extends Method, P extends PathOf<M>> = paths[P] extends { readonly [Name in M]: infer O } ? O : never;

/** The body of a route's success: of 200, 201 and 202, where it has several. */
export type BodyOf<M extends Method, P extends PathOf<M>> =
  Operation<M, P> extends { readonly responses: infer R } ? JsonOf<R[keyof R & (200 | 201 | 202)]> : never;

type JsonOf<Response> = Response extends { readonly content: { readonly 'application/json': infer Body } }
  ? Body
  : never;

/** What a call of a route takes. Nothing that the route does not know can be given, and nothing that it needs be forgotten. */
export type CallOptions<M extends Method, P extends PathOf<M>> = Simplify<
  PathPart<Operation<M, P>> &
    QueryPart<Operation<M, P>> &
    BodyPart<Operation<M, P>> &
    HeaderPart<Operation<M, P>> &
    ForAnyRoute
>;

/** The options as the last argument: it may be left out where nothing in it is needed. */
export type Given<M extends Method, P extends PathOf<M>> =
  Record<never, never> extends CallOptions<M, P> ? [options?: CallOptions<M, P>] : [options: CallOptions<M, P>];

/** What every call takes. */
export interface ForAnyRoute {
  /** Milliseconds after which an attempt that has not been answered counts as not answered. */
  readonly timeoutMs?: number | undefined;
  /** Ends the call: it rejects with the signal's reason. What was sent may have been done all the same. */
  readonly signal?: AbortSignal | undefined;
}

type Simplify<T> = { readonly [Name in keyof T]: T[Name] };

type PathPart<O> = O extends { readonly parameters: { readonly path: infer Path extends object } }
  ? { /** Values for the names in braces. */ readonly path: Path }
  : unknown;

type QueryPart<O> = O extends { readonly parameters: { readonly query?: infer Query } }
  ? [NonNullable<Query>] extends [never]
    ? unknown
    : { readonly query?: Query | undefined }
  : unknown;

type BodyPart<O> = O extends {
  readonly requestBody: { readonly content: { readonly 'application/json': infer Body } };
}
  ? { readonly body: Body }
  : unknown;

type HeaderPart<O> = O extends { readonly parameters: { readonly header?: infer Headers } }
  ? IfNamed<
      Headers,
      'Makuler-Purpose',
      {
        /** Purpose id of the policy; without it the client's, then the token's own. */ readonly purpose?:
          string | undefined;
      }
    > &
      IfNamed<
        Headers,
        'Makuler-After',
        {
          /** Log position that the answer must include: the `position` of an earlier answer. */ readonly after?:
            string | undefined;
        }
      > &
      IfNamed<
        Headers,
        'Idempotency-Key',
        {
          /** Made up for each call when it is left out. Give one to repeat a command in another process, or after a crash. */
          readonly idempotencyKey?: string | undefined;
        }
      > &
      IfNamed<
        Headers,
        'If-Match',
        {
          /** The `etag` of the read that the change is based on; who comes too late gets `precondition-failed`. */ readonly ifMatch: string;
        }
      >
  : unknown;

// `keyof never` is every name: a route without headers of its own has none.
type IfNamed<Headers, Name extends string, Part> = [NonNullable<Headers>] extends [never]
  ? unknown
  : Name extends keyof NonNullable<Headers>
    ? Part
    : unknown;

/** Paths that answer with a list: those that can be iterated over, and be had as CSV. */
export type ListPath = {
  [P in PathOf<'get'>]: BodyOf<'get', P> extends { readonly items: readonly unknown[]; readonly nextCursor: unknown }
    ? P
    : never;
}[PathOf<'get'>];

/** One row of a list. */
export type ItemOf<P extends ListPath> =
  BodyOf<'get', P> extends { readonly items: readonly (infer Item)[] } ? Item : never;
