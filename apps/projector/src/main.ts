import { connect } from '#composition';
import { createLogger } from '#observability';
import { readConfig } from './config.js';
import { serve } from './serve.js';

try {
  const config = readConfig();
  await serve(await connect(config, { name: 'projector' }), config);
} catch (error) {
  createLogger({ name: 'projector' }).error(error, 'the projector does not run');
  process.exit(1);
}
