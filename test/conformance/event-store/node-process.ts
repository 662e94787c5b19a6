import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';

const MAIN = join(process.cwd(), 'dist/apps/event-node/src/main.js');

/** The shipped program as a process. */
export class NodeProcess {
  readonly #child: ChildProcess;
  readonly #ended: Promise<number | null>;
  /** Everything that it said, for looking whether it said too much. */
  output = '';

  private constructor(environment: Record<string, string>) {
    if (!existsSync(MAIN)) throw new Error('build first: npm run build');
    this.#child = spawn(process.execPath, [MAIN], { env: { ...environment }, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#ended = once(this.#child, 'close').then(([code]) => code as number | null);
    for (const stream of [this.#child.stdout!, this.#child.stderr!])
      stream.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
  }

  /** Resolves when it says that it is ready; rejects with what it said when it ends instead. */
  static async start(environment: Record<string, string>): Promise<NodeProcess> {
    const node = new NodeProcess(environment);
    for (;;) {
      const code = await Promise.race([once(node.#child.stdout!, 'data').then(() => undefined), node.#ended]);
      if (code !== undefined) throw new Error(node.output);
      if (node.output.includes('"event":"ready"')) return node;
    }
  }

  /** Sends the signal, on which it ends; resolves with the exit code, null after a kill. */
  async end(signal: 'SIGKILL' | 'SIGTERM' | 'SIGUSR2'): Promise<number | null> {
    this.#child.kill(signal);
    return this.#ended;
  }
}
