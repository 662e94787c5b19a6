import { execFileSync } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

/** A service of docker-compose.yml, as far as processes without containers need it. */
export interface ComposedService {
  /** With the file's own entrypoint, without the image's. */
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
        readonly entrypoint?: readonly string[];
        readonly command?: readonly string[];
        readonly volumes?: readonly string[];
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
    const { entrypoint = [], command = [], environment = {}, restart = 'no', deploy } = found;
    const here = (text: string | number) => this.#here(this.#issued(name, String(text)));
    return {
      command: [...entrypoint, ...command].map(here),
      environment: Object.fromEntries(Object.entries(environment).map(([key, value]) => [key, here(value)])),
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

  /** What a service has in a volume of its own lies here where `certificates` puts it. */
  #issued(service: string, text: string): string {
    if (service === 'certificates') return text;
    const [made, mounted] = ['certificates', service].map((name) =>
      (this.#file.services[name]!.volumes ?? []).map((volume) => volume.split(':')),
    );
    return mounted!.reduce((so, [volume, at]) => {
      const source = made!.find(([name]) => name === volume);
      return source ? so.replaceAll(`${at}/`, `${source[1]}/`) : so;
    }, text);
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
