import type { Metadata } from '@grpc/grpc-js';
import type { Clock } from '#kernel';
import { codeOf, correlated, framesOf, isMakulerError } from '#kernel';
import { authorized, callerOf, correlationOf } from '#vault/keeper';

/** Calls that the log must tell of: names of programs and methods, codes. */
export type CallNotice =
  | {
      readonly event: 'call.refused';
      readonly method: string;
      /** The program of the certificate, or `unknown`. */
      readonly caller: string;
      /** The same, since it was last told. */
      readonly more: number;
    }
  | {
      readonly event: 'call.failed';
      readonly method: string;
      readonly code: string;
      readonly frames: readonly string[];
      readonly more: number;
    };

type Call = Parameters<typeof authorized>[0] & { readonly metadata: Metadata };

/** What fails fails with every call, and who is refused tries again: of one kind a line a minute, with how many there were. */
const QUIET_MS = 60_000;

/** Every call goes through it: may it be made, for which request or job is it, and what must be told of it. */
export class Calls {
  readonly #told = new Map<string, { readonly atMs: number; more: number }>();

  constructor(
    private readonly clock: Clock,
    private readonly notice: (notice: CallNotice) => void,
    /** Called for every refusal, told or not. */
    private readonly refused: () => void,
  ) {}

  /** Throws PERMISSION_DENIED unless the caller may make this call. */
  authorize(call: Call): void {
    try {
      authorized(call);
    } catch (error) {
      this.refused();
      const [method, caller] = [methodOf(call), callerOf(call) ?? 'unknown'];
      correlated(correlationOf(call.metadata), () =>
        this.#seldom(`${caller} ${method}`, (more) => this.notice({ event: 'call.refused', method, caller, more })),
      );
      throw error;
    }
  }

  /** Runs `work` as the caller's request or job. What fails for another reason than those that the caller is told, the log says. */
  run<T>(call: Call, work: () => Promise<T>): Promise<T> {
    return correlated(correlationOf(call.metadata), async () => {
      try {
        return await work();
      } catch (error) {
        if (!isMakulerError(error)) this.#failed(methodOf(call), error);
        throw error;
      }
    });
  }

  #failed(method: string, error: unknown): void {
    const [code, frames] = [codeOf(error), framesOf(error)];
    this.#seldom(`${method} ${code}`, (more) => this.notice({ event: 'call.failed', method, code, frames, more }));
  }

  #seldom(kind: string, tell: (more: number) => void): void {
    const told = this.#told.get(kind);
    const atMs = this.clock.monotonicMs();
    if (told && atMs - told.atMs < QUIET_MS) {
      told.more++;
      return;
    }
    this.#told.set(kind, { atMs, more: 0 });
    tell(told?.more ?? 0);
  }
}

export const methodOf = (call: { getPath(): string }): string => call.getPath().split('/').at(-1) ?? '';
