import { createHash } from 'node:crypto';
import type { Clock } from '#kernel';
import type { TokenHolder, Tokens } from '#tokens';

/** How long a token goes on working after it was revoked or has expired, at most. */
export const REVOCATION_DELAY_MS = 3_000;
const MOST_TOKENS = 1_000;

interface Seen {
  readonly holder: TokenHolder;
  readonly untilMs: number;
}

/**
 * Remembers for three seconds whom a token belongs to, so that a busy client costs no query per request. Only good tokens
 * are remembered, by their SHA-256: the memory of this process holds no token, and a flood of guesses fills nothing.
 */
export class CachedTokens {
  readonly #seen = new Map<string, Seen>();

  constructor(
    private readonly tokens: Pick<Tokens, 'verify'>,
    private readonly clock: Clock,
  ) {}

  /** Whom a token speaks for; undefined for unknown, expired and revoked ones alike. Throws `database-unavailable`. */
  async verify(token: string): Promise<TokenHolder | undefined> {
    const key = createHash('sha256').update(token).digest('base64');
    const seen = this.#seen.get(key);
    // Monotonic: a clock set back must not keep a revoked token alive.
    if (seen && seen.untilMs > this.clock.monotonicMs()) return seen.holder;
    // Counted from before the question: an answer that was long under way is as old as that.
    const untilMs = this.clock.monotonicMs() + REVOCATION_DELAY_MS;
    const holder = await this.tokens.verify(token);
    this.#seen.delete(key);
    if (!holder) return undefined;
    if (this.#seen.size >= MOST_TOKENS) this.#seen.delete(this.#seen.keys().next().value!);
    this.#seen.set(key, { holder, untilMs });
    return holder;
  }
}
