// `npm run bench [name…] [-- --json FILE] [--against FILE]`: starts one PostgreSQL, runs the benchmarks from the build.
import setup from './postgres.setup.mjs';
import teardown from './postgres.teardown.mjs';

await setup();
try {
  await import(new URL('../dist/test/bench/main.js', import.meta.url).href);
} finally {
  await teardown();
}
process.exit(process.exitCode ?? 0);
