// `npm run bench [name…] [-- --json FILE] [--against FILE]`: starts one PostgreSQL, runs the benchmarks from the build.
import setup from './postgres.setup.mjs';
import teardown from './postgres.teardown.mjs';

await setup();
try {
  await import('../dist/test/bench/main.js');
} finally {
  await teardown();
}
process.exit(process.exitCode ?? 0);
