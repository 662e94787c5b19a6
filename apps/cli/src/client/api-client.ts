import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Refusal } from '../refusal.js';

/** An answer of the API that is no success: RFC 9457 with our code. */
export class ApiProblem extends Error {
  override readonly name = 'ApiProblem';
  constructor(
    readonly status: number,
    readonly code: string,
    readonly detail: string,
    readonly retryAfterSeconds: number | undefined,
    /** The whole problem document: further facts, and `errors` for input. */
    readonly document: Readonly<Record<string, unknown>>,
  ) {
    super(`${detail} (${code})`);
  }
}

export interface Answer<T> {
  readonly status: number;
  readonly body: T;
  readonly headers: Headers;
}

export interface RequestOptions {
  /** Purpose id of the policy; without it the token's own default holds. */
  readonly purpose?: string | undefined;
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly accept?: string;
  /** Of a POST; made up when not given. Give the same for the same command when it is sent again. */
  readonly idempotencyKey?: string;
  /** After which an answer that has not come counts as none. Without it, whatever the platform waits. */
  readonly timeoutMs?: number;
}

const ATTEMPTS = 6;
const DEFAULT_PAUSE_S = 1;

/**
 * The HTTP API for the command line. A command is sent again, under its idempotency key, while the API answers 503 or
 * not at all, a bounded number of times; every other refusal throws ApiProblem. Throws Refusal when nobody answers.
 */
export class ApiClient {
  constructor(
    readonly address: string,
    private readonly token: string | undefined,
    private readonly attempts = ATTEMPTS,
  ) {}

  get<T>(path: string, options: RequestOptions = {}): Promise<Answer<T>> {
    return this.#send<T>('GET', path, undefined, options);
  }

  post<T>(path: string, body: unknown, options: RequestOptions = {}): Promise<Answer<T>> {
    return this.#send<T>('POST', path, body, { idempotencyKey: randomUUID(), ...options });
  }

  async #send<T>(method: string, path: string, body: unknown, options: RequestOptions): Promise<Answer<T>> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#once<T>(method, path, body, options);
      } catch (error) {
        const again = error instanceof Refusal || (error instanceof ApiProblem && error.status === 503);
        if (!again || attempt >= this.attempts) throw error;
        const pause = error instanceof ApiProblem ? error.retryAfterSeconds : undefined;
        await sleep(1_000 * (pause ?? DEFAULT_PAUSE_S));
      }
    }
  }

  async #once<T>(method: string, path: string, body: unknown, options: RequestOptions): Promise<Answer<T>> {
    const url = new URL(path, this.address);
    for (const [name, value] of Object.entries(options.query ?? {}))
      if (value !== undefined) url.searchParams.set(name, value);
    const noAnswer = (cause: unknown): never => {
      throw new Refusal(
        `Nobody answers at ${this.address}${reasonOf(cause)}.`,
        'Start the system with `makuler up`, or say where it runs with --api.',
      );
    };
    const response = await fetch(url, {
      method,
      headers: this.#headers(body, options),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(options.timeoutMs === undefined ? {} : { signal: AbortSignal.timeout(options.timeoutMs) }),
    }).catch(noAnswer);
    // An answer that broke off (the process was killed while it wrote) is none.
    const text = await response.text().catch(noAnswer);
    if (!response.ok) throw problemOf(response, text);
    const json = response.headers.get('content-type')?.includes('json');
    return { status: response.status, body: (json ? JSON.parse(text) : text) as T, headers: response.headers };
  }

  #headers(body: unknown, options: RequestOptions): Record<string, string> {
    return {
      accept: options.accept ?? 'application/json',
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(this.token === undefined ? {} : { authorization: `Bearer ${this.token}` }),
      ...(options.purpose === undefined ? {} : { 'makuler-purpose': options.purpose }),
      ...(options.idempotencyKey === undefined ? {} : { 'idempotency-key': options.idempotencyKey }),
    };
  }
}

const reasonOf = (cause: unknown): string => {
  const { code } = ((cause as Error).cause ?? {}) as { code?: string };
  return code === undefined ? '' : ` (${code})`;
};

const problemOf = (response: Response, text: string): ApiProblem => {
  const document = documentOf(text);
  const { code, detail } = document as { code?: string; detail?: string };
  const retryAfter = Number(response.headers.get('retry-after') ?? 'none');
  return new ApiProblem(
    response.status,
    code ?? 'internal',
    detail ?? `The API answered with status ${response.status}.`,
    Number.isFinite(retryAfter) ? retryAfter : undefined,
    document,
  );
};

const documentOf = (text: string): Record<string, unknown> => {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return {};
  }
};
