import fc from 'fast-check';
import { flawsOf, REFUSALS } from './clean-refusal.js';
import { fuzzedRequests } from './fuzzed-requests.js';
import { fill } from './good-requests.js';
import { MARK } from './spoiling.js';
import { WholeApi } from './whole-api.js';

/** More on demand: `MAKULER_FUZZ=100000`. */
const REQUESTS = Number(process.env['MAKULER_FUZZ'] ?? 10_000);

/** What an api shows by itself; the ledger and the vault here are doubles, which count nothing. */
const METRICS_SHOWN = [
  ...['http_request_duration_seconds_count', 'command_duration_seconds_count', 'query_duration_seconds_count'],
  ...['access_refused_total', 'projection_lag_seconds', 'projection_failed', 'projection_state', 'erasures'],
  ...['erasures_overdue', 'vault_keys', 'vault_gate_open', 'vault_epoch', 'vault_dirty_buckets', 'vault_roots_overdue'],
].map((name) => `makuler_${name}`);

describe(`${REQUESTS} requests made up from the OpenAPI document`, () => {
  let api: WholeApi;
  beforeAll(async () => (api = await WholeApi.start()));
  afterAll(() => api.stop());

  it('are served or refused cleanly, and what is refused writes nothing', async () => {
    const world = await fill(api);
    const outcomes = new Map<number, number>();
    await fc.assert(
      fc.asyncProperty(fuzzedRequests(world), async ({ role, ...request }) => {
        const before = await api.side.ledger.head();
        const answer = await (role === undefined ? api.app.inject(request) : api.call(role, request));
        outcomes.set(answer.statusCode, (outcomes.get(answer.statusCode) ?? 0) + 1);
        // What was taken is given back to whoever reads it; a refusal repeats nothing.
        if (answer.statusCode < 400) return;
        const written = (await api.writtenAfter(before)).map(({ type }) => type);
        const flaws = [...flawsOf(answer), ...written.filter((type) => !REFUSALS.has(type))];
        if (flaws.length > 0) throw new Error(`${answer.statusCode}: ${flaws.join(', ')}\n${answer.body}`);
      }),
      { numRuns: REQUESTS },
    );
    // Most of what is made up is to get past the door, or nothing behind it is tried.
    const taken = [...outcomes].reduce((sum, [status, count]) => sum + (status < 400 ? count : 0), 0);
    expect(taken).toBeGreaterThan(REQUESTS / 10);
    expect(outcomes.get(400)).toBeGreaterThan(REQUESTS / 10);
    expect(api.logged.join('')).not.toContain(MARK);
    await fill(api);
  }, 600_000);

  it('leave metrics as they are meant to be: every number is there, under names of ours alone', async () => {
    const { body } = await api.call('operator', { url: '/metrics' });
    expect(METRICS_SHOWN.filter((name) => !body.includes(`\n${name}{`))).toEqual([]);
    expect(body).not.toContain(MARK);
    // A label with an id would be a number for each person, for ever, in a database of somebody else's.
    expect(body).not.toMatch(/[0-9a-f]{8}-[0-9a-f]{4}-/);
    const routes = new Set([...body.matchAll(/route="([^"]*)"/g)].map(([, route]) => route));
    expect(
      [...routes].filter((route) => route !== 'none' && !api.routes().some((known) => known.endsWith(` ${route}`))),
    ).toEqual([]);
  });
});
