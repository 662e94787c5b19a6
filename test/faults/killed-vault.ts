import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { GrpcVault } from '#vault';
import type { VaultOperations } from '#vault/operations';
import { GrpcVaultOperations } from '#vault/operations';
import type { Shredder } from '#vault/shredder';
import type { Server } from '../conformance/event-store/connection.js';
import { startOwnNode } from '../conformance/event-store/event-node.js';
import { urlOf } from './gate-world.js';
import type { KillPoint } from './kill-point.js';
import { killedAt, ONE_THREAD, whereKilled } from './kill-point.js';
import type { VaultHouse } from './vault-house.js';
import { startVaultHouse } from './vault-house.js';

const MAIN = fileURLToPath(new URL('../../dist/apps/vault/src/main.js', import.meta.url));
/** Short: the first shred after each restart waits it out. */
const LEASE_MS = 200;

/** Clients that know nothing from before the process that they speak to. */
export interface FreshClients {
  readonly vault: GrpcVault;
  readonly shredder: Shredder;
  readonly operations: VaultOperations;
}

/** What a launch came to: the gate that the ready line names, or `undefined` for a process that was killed before it was ready. */
export type Launched = { readonly gate: string } | undefined;

/** The shipped vault as a process that is killed at a call to the system, over one database, one custodian, and an event node of its own. */
export class KilledVault {
  #child: ChildProcess | undefined;
  #exited: Promise<unknown> = Promise.resolve();
  #clients: (FreshClients & { close(): Promise<void> }) | undefined;

  private constructor(
    readonly house: VaultHouse,
    private readonly node: Server,
  ) {}

  /** Not running, with neither database nor custodian: the first launch founds them, and may be killed while it does. */
  static async unfounded(): Promise<KilledVault> {
    const [house, node] = await Promise.all([startVaultHouse(), startOwnNode()]);
    await house.stop();
    await house.sql('drop schema public cascade');
    await house.sql('create schema public');
    await Promise.all(house.mirrors.map((mirror) => rm(mirror, { recursive: true })));
    return new KilledVault(house, node);
  }

  get eventStoreUrl(): string {
    return urlOf(this.node);
  }
  get isRunning(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }
  get clients(): FreshClients {
    return this.#clients!;
  }

  /** Throws when the process refuses or ends in any way other than being killed. `over` replaces parts of its environment. */
  async launch(point?: KillPoint, over: Readonly<Record<string, string>> = {}): Promise<Launched> {
    await this.kill();
    const { databaseUrl, port, certFile, keyFile, caFile, home } = this.house.options;
    const command = [process.execPath, MAIN] as const;
    const [program, ...args] = point ? killedAt(point, this.#trace, command) : command;
    this.#child = spawn(program, args, {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: {
        ...{ PATH: process.env['PATH'], ...ONE_THREAD },
        ...{ VAULT_DATABASE_URL: databaseUrl, EVENTSTORE_URL: this.eventStoreUrl, VAULT_PORT: String(port) },
        ...{ VAULT_CERT_FILE: certFile, VAULT_KEY_FILE: keyFile, VAULT_CA_FILE: caFile, MAKULER_HOME: home! },
        ...{ CUSTODIAN: this.house.mirrors.join(','), VAULT_LEASE_MS: String(LEASE_MS), VAULT_EPOCH_WINDOW: '0' },
        ...over,
      },
    });
    this.#exited = once(this.#child, 'close');
    for await (const line of createInterface(this.#child.stdout!)) {
      const said = JSON.parse(line) as { event?: string; gate: string };
      // The database may need a moment to notice that the process before is gone.
      if (said.event === undefined || said.gate === 'standby') continue;
      expect(said.event).toMatch(/^(ready|active)$/);
      this.#clients = this.#connect();
      return { gate: said.gate };
    }
    await this.#exited;
    expect(this.#child.signalCode).toBe('SIGKILL');
    return undefined;
  }

  /** Ends the process, if it was not killed yet, as a kill at any other moment does. Gives the call at which it had been. */
  async kill(): Promise<string | undefined> {
    this.#child?.kill('SIGKILL');
    await this.#exited;
    await this.#clients?.close();
    this.#clients = undefined;
    return whereKilled(this.#trace);
  }

  /** Epochs whose root lies at each mirror, as the files say; a mirror that was not made yet has none. */
  roots(): Promise<readonly (readonly number[])[]> {
    return Promise.all(
      this.house.mirrors.map(async (mirror) =>
        (await readdir(mirror).catch(() => []))
          .flatMap((name) => /^root-(\d+)\.key$/.exec(name)?.[1] ?? [])
          .map(Number)
          .sort((a, b) => a - b),
      ),
    );
  }
  /** What lies beside the files of each mirror: left over from a write that was cut off. */
  async leftovers(): Promise<readonly string[]> {
    const names = await Promise.all(this.house.mirrors.map((mirror) => readdir(mirror)));
    return names.flat().filter((name) => name.startsWith('.'));
  }
  /** The custodian's state at each mirror, as stored. */
  states(): Promise<readonly string[]> {
    return Promise.all(
      this.house.mirrors.map(
        async (mirror) => (await readFile(join(mirror, 'custodian.state'), 'utf8')).split('\n')[1]!,
      ),
    );
  }

  async end(): Promise<void> {
    await this.kill();
    await this.house.end();
    await this.node.close();
  }

  get #trace(): string {
    return join(this.house.directory, 'calls.trace');
  }

  #connect() {
    const vault = this.house.vaultOf('api', { patienceMs: 500 });
    const shredder = this.house.shredderOf('worker');
    const operations = this.house.operationsOf('worker');
    return {
      ...{ vault, shredder, operations },
      close: async () => {
        await vault.close();
        shredder.close();
        (operations as GrpcVaultOperations).close();
      },
    };
  }
}
