import type { App } from './options.js';

/**
 * Whoever reads the log keeps a batch or two for as long as they are worked on: in the space that V8 begins with they are copied again
 * and again, a fifth of what such a process costs. The others would only take longer to fill it. `docker-compose.yml` says the same.
 */
const ROOM_FOR_BATCHES = ['--max-semi-space-size=32'];
const FLAGS: Partial<Record<App, readonly string[]>> = { api: ROOM_FOR_BATCHES, projector: ROOM_FOR_BATCHES };

/** What Node is told when it runs one of our programs. */
export const flagsOf = (app: App): readonly string[] => FLAGS[app] ?? [];
