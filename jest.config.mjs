import { readFileSync } from 'node:fs';

const {
  exclude: _,
  $schema: __,
  ...swc
} = { ...JSON.parse(readFileSync(new URL('.swcrc', import.meta.url), 'utf8')), swcrc: false };

/** Specs need nothing; `.int.spec.ts` gets one PostgreSQL for the whole run (test/postgres.setup.mjs), a database per suite. */
export default {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '^.+\\.ts$': ['@swc/jest', swc] },
  moduleNameMapper: {
    '^#vault/keeper$': '<rootDir>/libs/vault/src/keeper/index.ts',
    '^#vault/primitive$': '<rootDir>/libs/vault/src/primitive.ts',
    '^#vault/shredder$': '<rootDir>/libs/vault/src/shredder.ts',
    '^#vault/operations$': '<rootDir>/libs/vault/src/operations.ts',
    '^#observability/logger$': '<rootDir>/libs/observability/src/logger.ts',
    '^#observability/tracing$': '<rootDir>/libs/observability/src/tracing.ts',
    '^#postgres/embedded$': '<rootDir>/libs/postgres/src/embedded.ts',
    // `#platform` is OpenTelemetry's own.
    '^#(?!platform$)([a-z-]+)$': '<rootDir>/libs/$1/src/index.ts',
    '^(\\.{1,2}/.*)\\.js$': '$1',
  },
  testMatch: ['<rootDir>/{apps,libs,test}/**/*.spec.ts'],
  modulePathIgnorePatterns: ['<rootDir>/dist/'],
  setupFiles: ['reflect-metadata'],
  testTimeout: 60000,
  // Jest keeps what the modules of each file leave behind: a worker that has grown begins anew.
  workerIdleMemoryLimit: '768MB',
  ...(process.env.MAKULER_SUITE === 'spec'
    ? {}
    : { globalSetup: '<rootDir>/test/postgres.setup.mjs', globalTeardown: '<rootDir>/test/postgres.teardown.mjs' }),
};
