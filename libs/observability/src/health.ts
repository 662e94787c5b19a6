import { setTimeout as sleep } from 'node:timers/promises';
import { isMakulerError } from '#kernel';

/** What one check says. `because` names a state or an error code, never a value. */
export interface CheckResult {
  readonly ready: boolean;
  readonly because?: string;
}
export interface HealthReport {
  readonly ready: boolean;
  readonly checks: Readonly<Record<string, CheckResult>>;
}

/** Resolves when the thing can serve; throws, or returns what is missing, when not. */
export type Check = () => Promise<void | { readonly because: string }>;

const PATIENCE_MS = 2_000;

/** What a process needs before it may be asked, by name. Each part registers itself; `/health/ready` shows the report. */
export class Health {
  readonly #checks = new Map<string, Check>();

  register(name: string, check: Check): void {
    if (this.#checks.has(name)) throw new Error(`health check ${name} is registered twice`);
    this.#checks.set(name, check);
  }

  /** Runs all checks side by side; one that takes more than two seconds counts as not ready. */
  async report(): Promise<HealthReport> {
    const results = await Promise.all(
      [...this.#checks].map(async ([name, check]) => [name, await resultOf(check)] as const),
    );
    return { ready: results.every(([, { ready }]) => ready), checks: Object.fromEntries(results) };
  }
}

const resultOf = async (check: Check): Promise<CheckResult> => {
  const patience = new AbortController();
  const late = sleep(PATIENCE_MS, { because: 'no answer within 2 s' }, { signal: patience.signal });
  try {
    const missing = await Promise.race([check(), late]);
    return missing ? { ready: false, because: missing.because } : { ready: true };
  } catch (error) {
    return { ready: false, because: isMakulerError(error) ? error.code : 'the check failed' };
  } finally {
    patience.abort();
    late.catch(() => undefined);
  }
};
