import 'reflect-metadata';
import { connect } from '#composition';
import { createLogger } from '#observability';
import { readConfig } from './config.js';
import { serve } from './serve.js';

try {
  const config = readConfig();
  await serve(await connect(config, { name: 'worker' }), config);
} catch (error) {
  createLogger({ name: 'worker' }).error(error, 'the worker does not run');
  process.exit(1);
}
