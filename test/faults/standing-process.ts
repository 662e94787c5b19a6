import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** What a program of which one is active announces: that it is ready, active, a standby, or refuses. */
export interface Said {
  readonly event: string;
  readonly gate?: string;
}

/** One process of a program that may stand by: it is stopped, killed and started again by signals, as it happens to real ones. */
export class StandingProcess {
  readonly said: Said[] = [];
  /** Everything that it printed on standard output. */
  printed = '';
  #heard = Promise.withResolvers<void>();
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;

  constructor(parameters: readonly string[], env: NodeJS.ProcessEnv) {
    this.#child = spawn(process.execPath, parameters, { stdio: ['ignore', 'pipe', 'inherit'], env });
    this.#exited = once(this.#child, 'exit');
    createInterface(this.#child.stdout!).on('line', (line) => {
      this.printed += `${line}\n`;
      if (line.startsWith('{') && line.includes('"event"')) this.said.push(JSON.parse(line) as Said);
      this.#heard.resolve();
      this.#heard = Promise.withResolvers<void>();
    });
  }

  /** Resolves with the first thing that it says, of those that it has said since `from`, that is one of `events`. */
  says(events: readonly string[], from = 0): Promise<Said> {
    return this.#until(() => this.said.slice(from).find(({ event }) => events.includes(event)));
  }
  /** Resolves when it has printed this since `from`. */
  async prints(text: string, from = 0): Promise<void> {
    await this.#until(() => this.printed.includes(text, from) || undefined);
  }
  async #until<T>(look: () => T | undefined): Promise<T> {
    for (;;) {
      const heard = this.#heard.promise;
      const found = look();
      if (found !== undefined) return found;
      await Promise.race([
        heard,
        this.#exited.then(() => {
          throw new Error(`it ended, and said only ${JSON.stringify(this.said)}`);
        }),
      ]);
    }
  }
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child.kill(signal);
  }
  /** Resolves when it has ended. */
  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill(signal);
    // One that is stopped takes notice of nothing but SIGKILL.
    await this.#exited;
  }
}
