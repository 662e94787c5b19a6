import type { App } from './options.js';

/**
 * How large a semi-space of V8's young generation becomes, in MiB; resident are two. Untold it grows to 64, step by step and over
 * hours, and nothing here is faster for it (docs/benchmarks.md). Whoever reads the log keeps a batch or two for as long as they are
 * worked on, and gets room for them. `docker-compose.yml` says the same.
 */
const SEMI_SPACE_MIB: Readonly<Record<App, number>> = {
  'event-node': 16,
  vault: 16,
  api: 32,
  projector: 32,
  worker: 16,
};

/** What Node is told when it runs one of our programs. */
export const flagsOf = (app: App): readonly string[] => [`--max-semi-space-size=${SEMI_SPACE_MIB[app]}`];
