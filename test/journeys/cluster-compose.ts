import { execFileSync } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

/** A service of docker-compose.yml, as far as processes without containers need it. */
export interface ComposedService {
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly restart: string;
  readonly replicas: number;
}

interface Composed {
  readonly services: Readonly<
    Record<
      string,
      {
        readonly command?: readonly string[];
        readonly environment?: Readonly<Record<string, string | number>>;
        readonly restart?: string;
        readonly deploy?: { readonly replicas?: number };
      }
    >
  >;
  readonly configs: Readonly<Record<string, { readonly content: string }>>;
  readonly secrets: Readonly<Record<string, { readonly file: string }>>;
}

/**
 * docker-compose.yml, read as `docker compose` reads it: anchors merged, `${VARIABLES}` put in, `$$` as a dollar. Where the
 * file names a container or a directory in one, `places` says what stands there on this machine.
 */
export class Compose {
  readonly #file = parse(readFileSync('docker-compose.yml', 'utf8'), { merge: true }) as Composed;

  constructor(
    private readonly variables: Readonly<Record<string, string>>,
    private readonly places: readonly (readonly [from: string, to: string])[],
  ) {}

  service(name: string): ComposedService {
    const found = this.#file.services[name];
    if (!found) throw new Error(`docker-compose.yml has no service ${name}`);
    const { command = [], environment = {}, restart = 'no', deploy } = found;
    return {
      command: command.map((word) => this.#here(word)),
      environment: Object.fromEntries(Object.entries(environment).map(([key, value]) => [key, this.#here(`${value}`)])),
      restart,
      replicas: deploy?.replicas ?? 1,
    };
  }

  /** Makes the secrets as an operator does, with the passwords among the variables, for this machine's places. */
  makeSecrets(): void {
    const directory = this.#here('/run/secrets');
    const env = { PATH: '/usr/bin:/bin', ...this.variables };
    execFileSync('sh', ['deploy/make-secrets.sh', directory], { env });
    for (const name of Object.keys(this.#file.secrets)) {
      const file = join(directory, name);
      const content = this.#here(readFileSync(file, 'utf8'));
      chmodSync(file, 0o600);
      writeFileSync(file, content);
    }
  }

  /** A configuration that the file holds itself, for this machine's places. */
  config(name: string): string {
    return this.#here(this.#file.configs[name]!.content);
  }

  #here(text: string): string {
    return this.places.reduce((so, [from, to]) => so.replaceAll(from, to), this.#interpolated(text));
  }

  #interpolated(text: string): string {
    return text.replaceAll(/\$(?:\$|\{(\w+)(?::\?)?\})/g, (all, name: string | undefined) => {
      if (name === undefined) return '$';
      const value = this.variables[name];
      if (value === undefined) throw new Error(`docker-compose.yml asks for ${all}, which nobody gives`);
      return value;
    });
  }
}
