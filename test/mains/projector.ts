import { connect } from '#composition';
import { readConfig } from '../../apps/projector/src/config.js';
import { serve } from '../../apps/projector/src/serve.js';
import { testClock } from './clock.js';

const config = readConfig();
await serve(await connect(config, { name: 'projector', clock: testClock() }), config);
