import 'reflect-metadata';
import { connect } from '#composition';
import { readConfig } from '../../apps/worker/src/config.js';
import { serve } from '../../apps/worker/src/serve.js';
import { testClock } from './clock.js';

const config = readConfig();
await serve(await connect(config, { name: 'worker', clock: testClock() }), config);
