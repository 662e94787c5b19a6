import 'reflect-metadata';
import { readVaultConfiguration } from '../../apps/vault/src/config.js';
import { serve } from '../../apps/vault/src/serve.js';
import { testClock } from './clock.js';

await serve(() => ({ ...readVaultConfiguration(), clock: testClock() }));
