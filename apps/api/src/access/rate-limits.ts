import type { RateLimitOptions } from '@fastify/rate-limit';
import rateLimit, { normalizeIP } from '@fastify/rate-limit';
import { Injectable } from '@nestjs/common';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { MakulerError } from '#kernel';
import type { ApiRequest } from './caller.js';

/** Requests within a minute; 0 for as many as come. Each api process counts for itself. */
export interface RateLimitSettings {
  /** From one address, whatever token it shows; of IPv6 from one network of 64 bits, in which whoever has one address has all. */
  readonly address: number;
  /** With one token. */
  readonly token: number;
  /** Look-ups with one token: who asks for one person after the other is trying to list them. */
  readonly lookups: number;
}

/** Generous for programs, tight for guessing; the environment changes them (RATE_LIMIT_…). */
export const DEFAULT_RATE_LIMITS: RateLimitSettings = { address: 120_000, token: 60_000, lookups: 120 };

const WINDOW_S = 60;
/** Addresses counted at once, and as many tokens, and look-ups; whoever was last here longest ago is forgotten first. */
export const COUNTED = 20_000;

type Check = ReturnType<FastifyInstance['createRateLimit']>;

/**
 * How often an address and a token may ask. The answer says how much is left, in the fields of
 * draft-ietf-httpapi-ratelimit-headers (`RateLimit-Policy`, `RateLimit`), of whatever is nearest to its end.
 */
@Injectable()
export class RateLimits {
  #checks: Partial<Record<keyof RateLimitSettings, Check>> = {};

  constructor(private readonly settings: RateLimitSettings) {}

  /** Called once, before the server is ready: from then on every request is counted for its address, before anything else. */
  async bind(fastify: FastifyInstance): Promise<void> {
    await fastify.register(rateLimit, { global: false });
    const check = (name: keyof RateLimitSettings, keyGenerator: (request: FastifyRequest) => string) => {
      if (this.settings[name] === 0) return;
      const timeWindow = WINDOW_S * 1_000;
      // Each counter has a store of its own: how much it holds is said here, not to the plugin.
      const options: RateLimitOptions = { max: this.settings[name], timeWindow, keyGenerator, cache: COUNTED };
      this.#checks[name] = fastify.createRateLimit(options);
    };
    check('address', ({ ip }) => normalizeIP(ip));
    check('token', ({ caller }: ApiRequest) => caller!.tokenId);
    check('lookups', ({ caller }: ApiRequest) => caller!.tokenId);
  }

  /** Counts the request. Throws `rate-limited` with the seconds until more are taken. */
  async count(name: keyof RateLimitSettings, request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const counted = await this.#checks[name]?.(request);
    if (!counted || counted.isAllowed) return;
    const { max, remaining, ttlInSeconds, isExceeded } = counted;
    const left = Number(/;r=(\d+)/.exec(String(reply.getHeader('ratelimit') ?? ''))?.[1] ?? Infinity);
    if (remaining <= left) {
      void reply.header('ratelimit-policy', `"${name}";q=${max};w=${WINDOW_S}`);
      void reply.header('ratelimit', `"${name}";r=${remaining};t=${ttlInSeconds}`);
    }
    if (isExceeded) throw new MakulerError('rate-limited', { retryAfterSeconds: ttlInSeconds });
  }
}
