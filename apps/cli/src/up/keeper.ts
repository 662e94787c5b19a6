import { setTimeout as sleep } from 'node:timers/promises';
import type { ReadyLine } from './ready-line.js';

/** One life of something that is kept running: a Node child, or PostgreSQL. */
export interface Life<R = ReadyLine> {
  readonly ready: Promise<R | undefined>;
  readonly ended: Promise<string>;
  stop(): Promise<void>;
}

export interface KeeperWords {
  /** It ended by itself and is started again after `delayMs`. */
  ended(how: string, delayMs: number): void;
  /** It is ready again. */
  back(ms: number): void;
}

/** It did not get as far as its ready line at the first start: a mistake to be shown, nothing to be tried for ever. */
export class NotReady extends Error {}

const ATTEMPTS = 3;
const BACKOFF_MS = [100, 500, 1_000, 2_000, 5_000, 10_000];
/** After this long without a fault, the next one counts as the first. */
const CALM_MS = 30_000;

/** Keeps one thing running: starts it, starts it again when it ends, with growing pauses, until it is told to stop. */
export class Keeper<R = ReadyLine> {
  readonly #stopping = new AbortController();
  #life: Life<R> | undefined;
  #starting: Promise<unknown> = Promise.resolve();
  #watch: Promise<void> = Promise.resolve();

  constructor(
    private readonly begin: () => Promise<Life<R>>,
    private readonly words: KeeperWords,
  ) {}

  /** Starts it and resolves with its ready line. Throws NotReady with how it ended; killed from outside, it is tried again. */
  start(): Promise<R> {
    const starting = this.#start();
    this.#starting = starting.catch(() => undefined);
    return starting;
  }

  /** Ends it, or what of it is just being started. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#life?.stop();
    await this.#starting;
    await this.#watch;
  }

  async #start(): Promise<R> {
    for (let attempt = 1; ; attempt++) {
      const life = await this.#next();
      const said = await life.ready;
      if (said !== undefined) {
        this.#watch = this.#keep(life);
        return said;
      }
      const how = await life.ended;
      if (!how.startsWith('SIG') || attempt === ATTEMPTS || this.#stopping.signal.aborted) throw new NotReady(how);
    }
  }

  async #next(): Promise<Life<R>> {
    this.#life = await this.begin().catch(neverBegan<R>);
    // Told to stop while it was being started: stop() saw the life before this one.
    if (this.#stopping.signal.aborted) await this.#life.stop();
    return this.#life;
  }

  async #keep(life: Life<R>): Promise<void> {
    for (let faults = 0, readyAt = performance.now(); ;) {
      const how = await life.ended;
      if (this.#stopping.signal.aborted) return;
      faults = performance.now() - readyAt > CALM_MS ? 0 : faults;
      const delayMs = BACKOFF_MS[Math.min(faults++, BACKOFF_MS.length - 1)]!;
      this.words.ended(how, delayMs);
      await sleep(delayMs, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
      if (this.#stopping.signal.aborted) return;
      const begun = performance.now();
      life = await this.#next();
      if ((await life.ready) === undefined) continue;
      readyAt = performance.now();
      this.words.back(readyAt - begun);
    }
  }
}

/** What could not even be begun counts as a life that ended at once. */
const neverBegan = <R>(error: unknown): Life<R> => ({
  ready: Promise.resolve(undefined),
  ended: Promise.resolve(error instanceof Error ? error.message : String(error)),
  stop: () => Promise.resolve(),
});
