import { readFile } from 'node:fs/promises';
import { Refusal } from '../refusal.js';
import type { Home } from './home.js';
import type { Life } from './keeper.js';
import { Keeper, NotReady } from './keeper.js';
import { writeRunning } from './lock.js';
import { markOf } from './processes.js';
import type { ProcessMark } from './processes.js';
import type { Steps } from './steps.js';
import { timed } from './steps.js';

/** One thing that the supervisor keeps running. */
export interface Part<R> {
  readonly name: string;
  readonly logFile: string;
  begin(): Promise<Life<R> & { readonly pid: number }>;
  /** What is said of it when it is ready. */
  detail(said: R): string;
}

/** Everything that was started, in groups: within one side by side, one after the other, stopped in reverse. */
export class Crew {
  readonly #groups: { name: string; stop(): Promise<void> }[][] = [];
  readonly #marks = new Map<string, ProcessMark>();
  readonly #since = new Date().toISOString();
  #written: Promise<void> = Promise.resolve();
  #stopping = false;
  /** Where the system is asked; written down with the processes. */
  addresses: Readonly<Record<string, string>> = {};

  constructor(
    private readonly home: Home,
    private readonly custodian: readonly string[],
    private readonly steps: Steps,
  ) {}

  /** Starts a group and resolves when all of it is ready. Throws Refusal with the end of the log of what did not start. */
  async start<R>(parts: readonly Part<R>[]): Promise<R[]> {
    if (this.#stopping) throw new Refusal('The start was interrupted.', 'Start again whenever you like.');
    const keepers = parts.map((part) => ({ part, keeper: this.#keeperOf(part) }));
    this.#groups.push(keepers.map(({ part, keeper }) => ({ name: part.name, stop: () => keeper.stop() })));
    return Promise.all(
      keepers.map(({ part, keeper }) =>
        timed(
          this.steps,
          part.name,
          () => keeper.start(),
          (said) => part.detail(said),
        ).catch((error: unknown) => this.#refuse(part, error)),
      ),
    );
  }

  /** Stops all of it, the last group first. */
  async stop(): Promise<void> {
    this.#stopping = true;
    for (const group of this.#groups.toReversed())
      await Promise.all(group.map(({ name, stop }) => timed(this.steps, name, stop, () => 'stopped')));
    await this.#written;
  }

  /** Writes down what runs, for `makuler status` and for the next start. */
  write(): Promise<void> {
    this.#written = this.#written
      .catch(() => undefined)
      .then(async () => {
        const supervisor = await markOf(process.pid);
        if (!supervisor) return;
        const children = Object.fromEntries(this.#marks);
        const { addresses, custodian } = this;
        await writeRunning(this.home, { supervisor, since: this.#since, children, addresses, custodian });
      });
    return this.#written;
  }

  #keeperOf<R>(part: Part<R>): Keeper<R> {
    const begin = async () => {
      const life = await part.begin();
      const mark = await markOf(life.pid);
      if (mark) this.#marks.set(part.name, mark);
      await this.write();
      return life;
    };
    return new Keeper(begin, {
      ended: (how, delayMs) => this.steps.warn(`${part.name} ended (${how}); starting it again in ${delayMs / 1000} s`),
      back: (ms) => this.steps.done(part.name, 'is back', ms),
    });
  }

  async #refuse<R>(part: Part<R>, error: unknown): Promise<never> {
    if (!(error instanceof NotReady)) throw error;
    const log = await readFile(part.logFile, 'utf8').catch(() => '');
    const last = log
      .trimEnd()
      .split('\n')
      .slice(-6)
      .map((line) => `    ${line.slice(0, 400)}`);
    throw new Refusal(
      `${part.name} did not start: it ended with ${error.message}.`,
      [`See ${part.logFile}:`, ...last].join('\n'),
    );
  }
}
