import createFetchClient from 'openapi-fetch';
import type { paths } from './generated/api.js';
import type { Answer } from './answer.js';
import { answerOf } from './answer.js';
import type { BodyOf, ForAnyRoute, Given, ItemOf, ListPath, Method, PathOf } from './operations.js';
import type { Passing, Patience } from './patience.js';
import { PATIENT, patiently } from './patience.js';
import { ApiProblem, NoAnswer } from './problem.js';

/** Where the API is, who asks, and how patiently. */
export interface ClientOptions {
  /** The address that the API is reached at: `https://makuler.example`. */
  readonly address: string;
  /** API token; without it only what is public answers. It goes into the header of each request and nowhere else. */
  readonly token?: string | undefined;
  /** Purpose id of the policy that is stated where a call states none. */
  readonly purpose?: string | undefined;
  readonly patience?: Patience;
  /** Milliseconds after which an attempt without an answer counts as not answered (60,000). */
  readonly timeoutMs?: number;
  /** Hears why a request waits before it is sent again. */
  readonly onWait?: (because: Passing, pauseMs: number) => void;
}

const TIMEOUT_MS = 60_000;

/** The options of any call, by the names that they have for all routes. */
interface Call extends ForAnyRoute {
  readonly path?: object;
  readonly query?: object | undefined;
  readonly body?: unknown;
  readonly purpose?: string | undefined;
  readonly after?: string | undefined;
  readonly idempotencyKey?: string | undefined;
  readonly ifMatch?: string | undefined;
}

/**
 * The HTTP API with the types of its OpenAPI document. What is refused throws `ApiProblem`; what is not answered throws
 * `NoAnswer`, after the client's patience. Commands get an `Idempotency-Key` of their own, the same for every repeat, so
 * a command whose call returned was done once, whatever happened on the way.
 */
export class MakulerClient {
  readonly #http: Send;
  readonly #options: ClientOptions;

  /** Throws TypeError when the address is none. */
  constructor(options: ClientOptions) {
    this.#options = { ...options, address: new URL(options.address).href.replace(/\/$/, '') };
    const { request } = createFetchClient<paths>({ baseUrl: this.#options.address });
    this.#http = request as unknown as Send;
  }

  get address(): string {
    return this.#options.address;
  }

  /** Reads. */
  get<P extends PathOf<'get'>>(path: P, ...[options]: Given<'get', P>): Promise<Answer<BodyOf<'get', P>>> {
    return this.#call('get', path, options as Call | undefined);
  }

  /** Commands, and look-ups whose question must not stand in an address. */
  post<P extends PathOf<'post'>>(path: P, ...[options]: Given<'post', P>): Promise<Answer<BodyOf<'post', P>>> {
    return this.#call('post', path, options as Call | undefined);
  }

  /** Changes, based on what was read: `ifMatch`. */
  patch<P extends PathOf<'patch'>>(path: P, ...[options]: Given<'patch', P>): Promise<Answer<BodyOf<'patch', P>>> {
    return this.#call('patch', path, options as Call | undefined);
  }

  /** Every row of a list, page by page as they are asked for. */
  async *items<P extends ListPath>(path: P, ...[options]: Given<'get', P>): AsyncGenerator<ItemOf<P>, void, undefined> {
    let call = options as Call | undefined;
    for (;;) {
      const { items, nextCursor } = (await this.#call<Page<ItemOf<P>>>('get', path, call)).body;
      yield* items;
      if (nextCursor === null) return;
      call = at(nextCursor, call);
    }
  }

  /** A list as CSV (RFC 4180), one text with a header line for each page. */
  async *csv<P extends ListPath>(path: P, ...[options]: Given<'get', P>): AsyncGenerator<string, void, undefined> {
    let call = options as Call | undefined;
    for (;;) {
      const { body, headers } = await this.#call<string>('get', path, call, 'text/csv');
      yield body;
      const nextCursor = headers.get('makuler-next-cursor');
      if (nextCursor === null) return;
      call = at(nextCursor, call);
    }
  }

  #call<Body>(method: Method, path: string, call: Call = {}, accept = 'application/json'): Promise<Answer<Body>> {
    const { patience = PATIENT, onWait = () => undefined } = this.#options;
    // Before the first attempt: all of them are one command.
    const headers = this.#headersOf(method, call, accept);
    const { signal } = call;
    return patiently(() => this.#attempt<Body>(method, path, call, headers), patience, onWait, signal);
  }

  async #attempt<Body>(method: Method, path: string, call: Call, headers: Headers): Promise<Answer<Body>> {
    const late = AbortSignal.timeout(call.timeoutMs ?? this.#options.timeoutMs ?? TIMEOUT_MS);
    const answered = await this.#http(method, path, {
      params: { path: call.path, query: call.query },
      body: call.body,
      headers,
      parseAs: headers.get('accept') === 'text/csv' ? 'text' : 'json',
      // The API never leads elsewhere, and neither may whoever stands in its place: the token goes along.
      redirect: 'error',
      signal: call.signal ? AbortSignal.any([late, call.signal]) : late,
    }).catch((cause: unknown): never => {
      // An answer that broke off is none.
      throw new NoAnswer(this.#options.address, cause);
    });
    const { response, data, error } = answered;
    if (response.ok) return answerOf(response, data as Body);
    throw new ApiProblem(response.status, isObject(error) ? error : {}, response.headers);
  }

  #headersOf(method: Method, { purpose, after, ifMatch, idempotencyKey }: Call, accept: string): Headers {
    const { token, purpose: usual } = this.#options;
    const key = idempotencyKey ?? (method === 'get' ? undefined : crypto.randomUUID());
    const given = {
      accept,
      authorization: token === undefined ? undefined : `Bearer ${token}`,
      'makuler-purpose': purpose ?? usual,
      'makuler-after': after,
      'if-match': ifMatch,
      'idempotency-key': key,
    };
    return new Headers(Object.entries(given).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
  }
}

type Send = (
  method: Method,
  path: string,
  init: object,
) => Promise<{ readonly response: Response; readonly data?: unknown; readonly error?: unknown }>;

interface Page<Item> {
  readonly items: readonly Item[];
  readonly nextCursor: string | null;
}

const at = (cursor: string, call: Call = {}): Call => ({ ...call, query: { ...call.query, cursor } });

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
