import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MakulerClient } from '#client';
import type { Role } from '#kernel';

// Tests hold every answer to the document; benchmarks measure the system, and not this.
const { asDocumented } =
  process.env['JEST_WORKER_ID'] === undefined ? { asDocumented: undefined } : await import('./documented-answers.js');

/** A test asks more often than a person does; the limits have a spec of their own. */
const LIMITS = { RATE_LIMIT_LOOKUPS: '6000' };
/** Of the project: tests run from the sources and benchmarks from the build, both started in its directory. */
export const ROOT = process.cwd();

export type PartName = 'postgres' | 'event-node' | 'vault' | 'api' | 'projector' | 'worker';

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body as JSON; undefined when it is none. */
  readonly body: any;
}

export interface RequestOptions {
  readonly as?: Role | 'nobody';
  readonly body?: unknown;
  readonly purpose?: string;
  readonly key?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
}

/** A whole installation in a directory of its own, started as a person starts it: real processes, real servers, HTTP. */
export class Installation {
  #supervisor: ChildProcess | undefined;
  #ended: Promise<void> = Promise.resolve();
  #url = '';
  #tokens: Record<string, string> = {};
  /** Everything that was ever printed. */
  output = '';

  private constructor(
    readonly directory: string,
    readonly policy: string,
    private readonly main: string,
  ) {}

  /** `main` is the built program to start: the shipped one, or one under test/ that composes it with another clock. */
  static async create({ policy = 'policy/jpi', main = 'dist/apps/cli/src/main.js' } = {}): Promise<Installation> {
    const directory = await mkdtemp(join(tmpdir(), 'makuler-journey-'));
    await chmod(directory, 0o711); // as root, PostgreSQL runs as another user and must pass through
    return new Installation(directory, policy, main);
  }

  get home(): string {
    return join(this.directory, 'home');
  }
  get custodian(): string {
    return `${this.home}-custodian`;
  }
  get url(): string {
    return this.#url;
  }

  /** Starts everything and resolves when it says that it is ready. Rejects with what it printed when it ends before. */
  async start(flags: readonly string[] = [], env: Readonly<Record<string, string>> = {}): Promise<void> {
    const args = [
      join(ROOT, this.main),
      'up',
      '--json',
      '--home',
      this.home,
      '--port',
      '0',
      '--policy',
      this.policy,
      ...flags,
    ];
    const child = spawn(process.execPath, args, {
      cwd: ROOT,
      env: { ...process.env, NODE_OPTIONS: '', ...LIMITS, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#supervisor = child;
    let printed = '';
    this.#ended = new Promise((resolve) => child.once('close', () => resolve()));
    await new Promise<void>((resolve, reject) => {
      let rest = '';
      const hear = (chunk: Buffer) => {
        this.output += chunk.toString();
        printed += chunk.toString();
        rest += chunk.toString();
        const lines = rest.split('\n');
        rest = lines.pop()!;
        for (const line of lines) {
          if (!line.startsWith('{"event":"ready"')) continue;
          this.#url = (JSON.parse(line) as { api: string }).api;
          resolve();
        }
      };
      child.stdout!.on('data', hear);
      child.stderr!.on('data', hear);
      void this.#ended.then(() => reject(new Error(`the installation did not start:\n${printed}`)));
    });
    this.#tokens = JSON.parse(await readFile(join(this.home, 'tokens.json'), 'utf8')) as Record<string, string>;
  }

  /** Ctrl-C. */
  async stop(): Promise<void> {
    this.#supervisor?.kill('SIGTERM');
    await this.#ended;
  }

  /** Pulls the plug: supervisor and all parts at once. */
  async killEverything(): Promise<void> {
    const marks = Object.values(await this.pids());
    this.#supervisor?.kill('SIGKILL');
    for (const pid of marks) signalTo(pid, 'SIGKILL');
    await this.#ended;
  }

  /** Numbers of the parts' processes as they run now. */
  async pids(): Promise<Record<PartName, number>> {
    const running = JSON.parse(await readFile(join(this.home, 'running.json'), 'utf8')) as {
      children: Record<PartName, { pid: number }>;
    };
    return Object.fromEntries(Object.entries(running.children).map(([name, { pid }]) => [name, pid])) as Record<
      PartName,
      number
    >;
  }

  async signal(part: PartName, signal: NodeJS.Signals): Promise<void> {
    signalTo((await this.pids())[part], signal);
  }

  /** Stops everything and removes it. */
  async destroy(): Promise<void> {
    await this.stop();
    await rm(this.directory, { recursive: true, force: true, maxRetries: 5 });
  }

  token(role: Role): string {
    const token = this.#tokens[role];
    if (!token) throw new Error(`no token for ${role}`);
    return token;
  }

  /** The typed client, as an integrator uses it. It sends again what was not answered; `request` sends once. */
  client(role: Role, purpose?: string): MakulerClient {
    return new MakulerClient({ address: this.#url, token: this.token(role), purpose });
  }

  /** One request as it stands, also a wrong one. Rejects when there is no answer, or none as documented. */
  async request(method: string, path: string, options: RequestOptions = {}): Promise<Reply> {
    const { as = 'integrator' } = options;
    return ask(this.#url, as === 'nobody' ? undefined : this.token(as), method, path, options);
  }

  get(path: string, options: RequestOptions = {}): Promise<Reply> {
    return this.request('GET', path, options);
  }
  post(path: string, body: unknown, options: RequestOptions = {}): Promise<Reply> {
    return this.request('POST', path, { ...options, body });
  }
}

/** What can be asked over HTTP: an installation on one machine, or a cluster. */
export type Front = Pick<Installation, 'request' | 'get' | 'post'>;

/** One request to the api at `url`. Rejects when there is no answer. */
export const ask = async (
  url: string,
  token: string | undefined,
  method: string,
  path: string,
  { body, purpose, key, headers = {}, timeoutMs = 20_000 }: RequestOptions,
): Promise<Reply> => {
  const response = await fetch(`${url}${path}`, {
    method,
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(purpose === undefined ? {} : { 'makuler-purpose': purpose }),
      ...(method === 'POST' ? { 'idempotency-key': key ?? randomUUID() } : {}),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(timeoutMs),
  });
  const text = await response.text();
  const contentType = response.headers.get('content-type') ?? '';
  asDocumented?.({ method, url: path, status: response.status, contentType, text });
  return { status: response.status, headers: response.headers, text, body: parsed(text) };
};

const signalTo = (pid: number, signal: NodeJS.Signals): void => {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
};

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

/** Asks until the answer satisfies, for what takes its time in the background. Throws with the last answer. */
export const eventually = async <T>(
  ask: () => Promise<T>,
  satisfied: (answer: T) => boolean,
  timeoutMs = 30_000,
): Promise<T> => {
  const until = performance.now() + timeoutMs;
  let last: unknown;
  for (;;) {
    try {
      const answer = await ask();
      if (satisfied(answer)) return answer;
      last = answer;
    } catch (error) {
      last = error;
    }
    if (performance.now() > until)
      throw new Error(`it did not come to be: ${last instanceof Error ? last.message : JSON.stringify(last)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
};
