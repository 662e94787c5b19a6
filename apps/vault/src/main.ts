import 'reflect-metadata';
import { readVaultConfiguration } from './config.js';
import { serve } from './serve.js';

await serve(() => readVaultConfiguration());
