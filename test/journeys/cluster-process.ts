import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';

export interface ProcessSpec {
  readonly name: string;
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** What it prints when it serves; the ready line of our own programs unless it is another's. */
  readonly ready?: string;
}

/**
 * One container's process, under the restart policy `unless-stopped`: when it ends without being told to, it is started
 * again, as Docker does.
 */
export class ClusterProcess {
  #child: ChildProcess | undefined;
  #wanted = false;
  #heard: (() => void)[] = [];
  /** Everything that it printed, over all its lives. */
  output = '';
  /** How its lives ended that nobody had asked to end. */
  readonly unasked: string[] = [];

  constructor(readonly spec: ProcessSpec) {}

  get name(): string {
    return this.spec.name;
  }
  get pid(): number {
    return this.#child!.pid!;
  }

  /** Starts it, and resolves when it says that it is ready. Throws what it said when it ends before, three times. */
  async start(): Promise<void> {
    this.#wanted = true;
    const from = this.output.length;
    const ends = this.unasked.length;
    const { ready = '"event":"ready"' } = this.spec;
    this.#begin();
    const patienceMs = 150_000;
    await this.hears(() => {
      if (this.unasked.length > ends + 2) throw new Error(`${this.name} does not start:\n${this.output.slice(from)}`);
      return this.output.slice(from).includes(ready);
    }, patienceMs);
  }

  /** Resolves as soon as it has printed what satisfies. */
  async hears(satisfied: () => boolean, timeoutMs = 60_000): Promise<void> {
    const until = performance.now() + timeoutMs;
    while (!satisfied()) {
      if (performance.now() > until) throw new Error(`${this.name} never said so:\n${this.output.slice(-4_000)}`);
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#heard.push(resolve);
      const late = setTimeout(resolve, 1_000);
      await promise;
      clearTimeout(late);
    }
  }

  /** As `docker kill`: it stays away until `start`. Resolves with how it ended. */
  async kill(signal: NodeJS.Signals): Promise<string> {
    this.#wanted = false;
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return 'ended before';
    const ended = once(child, 'exit');
    child.kill(signal);
    const [code, by] = (await ended) as [number | null, NodeJS.Signals | null];
    return by ?? `code ${code}`;
  }

  /** A signal that ends nothing: SIGSTOP, SIGCONT. */
  signal(signal: NodeJS.Signals): void {
    this.#child!.kill(signal);
  }

  #begin(): void {
    const [program, ...parameters] = this.spec.command;
    const child = spawn(program!, parameters, {
      env: { ...this.spec.environment },
      // The channel is there to be lost, when this process dies before it could end that one.
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.#child = child;
    const hear = (chunk: Buffer) => {
      this.output += chunk.toString();
      this.#tell();
    };
    child.stdout!.on('data', hear);
    child.stderr!.on('data', hear);
    child.once('exit', (code, signal) => {
      if (!this.#wanted) return;
      this.unasked.push(signal ?? `code ${code}`);
      this.#tell();
      setTimeout(() => this.#wanted && this.#child === child && this.#begin(), 200);
    });
  }

  #tell(): void {
    for (const heard of this.#heard.splice(0)) heard();
  }
}
