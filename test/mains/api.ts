import 'reflect-metadata';
import { connect } from '#composition';
import { oidcOf, rateLimitsOf, readConfig } from '../../apps/api/src/config.js';
import { serve } from '../../apps/api/src/serve.js';
import { testClock } from './clock.js';

const config = readConfig();
const parts = await connect(config, { name: 'api', clock: testClock() });
await serve(parts, { host: config.HOST, port: config.PORT, rateLimits: rateLimitsOf(config), oidc: oidcOf(config) });
