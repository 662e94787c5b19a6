import type { Bench } from './bench.js';
import { appends } from './appends.bench.js';
import { backup } from './backup.bench.js';
import { commands } from './commands.bench.js';
import { erasure } from './erasure.bench.js';
import { eventNode } from './event-node.bench.js';
import { imports } from './imports.bench.js';
import { lookups } from './lookups.bench.js';
import { memory } from './memory.bench.js';
import { opens } from './opens.bench.js';
import { rebuild } from './rebuild.bench.js';
import { seal } from './seal.bench.js';
import { startUp } from './start-up.bench.js';

/** Every benchmark of `npm run bench`; figures of past runs stand in docs/benchmarks.md. */
export const BENCHES: readonly Bench[] = [
  ...[appends, eventNode, commands, rebuild, erasure, lookups, imports],
  ...[seal, opens, backup, startUp, memory],
];
