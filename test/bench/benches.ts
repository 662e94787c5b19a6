import type { Bench } from './bench.js';
import { appends } from './appends.bench.js';
import { backup } from './backup.bench.js';
import { eventNode } from './event-node.bench.js';
import { opens } from './opens.bench.js';
import { seal } from './seal.bench.js';

/** Every benchmark of `npm run bench`; figures of past runs stand in docs/benchmarks.md. */
export const BENCHES: readonly Bench[] = [appends, eventNode, seal, opens, backup];
