import 'reflect-metadata';
import { connect } from '#composition';
import { createLogger } from '#observability';
import { oidcOf, rateLimitsOf, readConfig } from './config.js';
import { serve } from './serve.js';

try {
  const config = readConfig();
  const parts = await connect(config, { name: 'api' });
  await serve(parts, { host: config.HOST, port: config.PORT, rateLimits: rateLimitsOf(config), oidc: oidcOf(config) });
} catch (error) {
  createLogger({ name: 'api' }).error(error, 'the api does not start');
  process.exit(1);
}
