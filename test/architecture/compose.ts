import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

export interface Service {
  readonly image?: string;
  readonly restart?: string;
  readonly deploy?: { readonly replicas?: number };
  readonly command?: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly environment?: Readonly<Record<string, unknown>>;
  readonly volumes?: readonly string[];
  readonly secrets?: readonly string[];
  readonly configs?: readonly { readonly source: string; readonly target: string }[];
  readonly networks?: readonly string[];
  readonly network_mode?: string;
  readonly ports?: readonly string[];
  readonly profiles?: readonly string[];
  readonly stop_grace_period?: string;
  readonly depends_on?: Readonly<Record<string, unknown>>;
}
interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, unknown>>;
  readonly networks: Readonly<Record<string, { readonly internal?: boolean } | null>>;
  readonly secrets: Readonly<Record<string, { readonly file: string }>>;
  readonly configs: Readonly<Record<string, { readonly content?: string; readonly file?: string }>>;
}

/** docker-compose.yml, its anchors merged. */
export const compose = parse(readFileSync('docker-compose.yml', 'utf8'), { merge: true }) as Compose;

/** The services that run a program of ours for as long as the others, with its name. */
export const PROGRAMS = [
  ['vault-a', 'vault'],
  ['vault-b', 'vault'],
  ['api', 'api'],
  ['projector', 'projector'],
  ['worker', 'worker'],
] as const;
