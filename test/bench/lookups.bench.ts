import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { companyCard } from '#companies';
import { customerCard } from '#customers';
import type { ActorId, CustomerId } from '#kernel';
import { newId, SystemClock, systemContext } from '#kernel';
import { createPool } from '#postgres';
import { ProjectionRunner } from '#projections';
import { holdings } from '#retention';
import { testDatabase } from '#testing';
import { Tokens } from '#tokens';
import { reachesEnd } from './at-the-end.js';
import { flagsOf } from '../../apps/cli/src/up/flags.js';
import type { Bench, Report } from './bench.js';
import { latenciesOf, quantile } from './bench.js';
import { inBulk, personOf, registered, write } from './business.js';
import { ledgerOver } from './ledger-over.js';
import { built, startEventNodeProgram, startProgram, startVaultProgram } from './stores.js';

const FEW = 1_000;
const MANY = 100_000;
const ASKED = 300;
const WARM_UP = 100;
const KIB = 1024;
/** An import of a row that is refused: it is judged once the keys of sources can be looked up. */
const A_ROW = { source: 'bench', dryRun: true, rows: [{ line: 1, key: 'none', record: {} }] };
/** Each refusal costs the api a problem document and a line in its log: asked every few milliseconds, it would answer that instead of reading. */
const ASK_EVERY_MS = 100;

/** An api as it is shipped, started over a log of so many customers: when it can be asked, what it holds, what an answer costs. */
export const lookups: Bench = {
  name: 'lookups',
  about: 'look-ups in 1,000 and 100,000 customers; how soon after its start an api answers them, and its memory',
  async run(report, { scale }) {
    const store = await startEventNodeProgram();
    const vault = await startVaultProgram(store.url);
    const [models, controls] = [await testDatabase(), await testDatabase()];
    const readModels = createPool(models.url, { name: 'bench', pipeline: true });
    const control = createPool(controls.url, { name: 'bench' });
    const tokens = new Tokens(control, new SystemClock());
    await tokens.migrate();
    const tokenOf = async (role: 'service-desk' | 'integrator', defaultPurpose: string) =>
      (await tokens.create({ roles: [role], label: 'bench', defaultPurpose })).token;
    const held = { desk: await tokenOf('service-desk', 'kundehjelp'), shop: await tokenOf('integrator', 'avtale') };
    const ledger = ledgerOver(store, vault.client);
    // What the api reads when it answers: a card, and how long it is kept.
    const context = () => systemContext(newId<ActorId>());
    const runner = new ProjectionRunner({
      pool: readModels,
      ledger,
      followers: [customerCard, companyCard, holdings],
      context,
    });
    const stopping = new AbortController();
    const running = runner.run(stopping.signal);
    const compiled = await mkdtemp(join(tmpdir(), 'makuler-compiled-'));
    const environment = {
      ...vault.environment,
      // As every start has it but the first of a home.
      NODE_COMPILE_CACHE: compiled,
      ...{ EVENTSTORE_URL: store.url, DATABASE_URL: models.url, CONTROL_DATABASE_URL: controls.url },
      ...{ POLICY: 'policy/webshop', PORT: '0', NODE_ENV: 'production' },
      ...{ RATE_LIMIT_ADDRESS: '0', RATE_LIMIT_TOKEN: '0', RATE_LIMIT_LOOKUPS: '0' },
    };
    let there = 0;
    for (const wanted of [FEW, Math.max(FEW + 1, Math.round(MANY * scale))]) {
      await inBulk(report, `making ${wanted.toLocaleString('en')} customers`, wanted - there, (n) => {
        const id = newId<CustomerId>();
        return write(ledger, `customer-${id}`, [registered(id, there + n)]);
      });
      there = wanted;
      await reachesEnd(report, { readModels, ledger });
      await measure(report, there, environment, held);
    }
    stopping.abort();
    await running;
    await ledger.close();
    await Promise.all([readModels.end(), control.end()]);
    await vault.end();
    await store.end();
    await Promise.all([models.drop(), controls.drop(), rm(compiled, { recursive: true })]);
  },
};

const label = (customers: number, what: string): string => `${customers.toLocaleString('en')} customers: ${what}`;

const measure = async (
  report: Report,
  customers: number,
  environment: NodeJS.ProcessEnv,
  held: { readonly desk: string; readonly shop: string },
) => {
  const row = (what: string, value: number, unit: string) =>
    report.row(label(customers, what), value, unit, customers === FEW ? undefined : label(FEW, what));
  const begun = performance.now();
  const api = await startProgram([...flagsOf('api'), built('apps/api/src/main.js')], environment);
  const post = async (path: string, token: string, body: object) => {
    const answer = await fetch(`http://127.0.0.1:${api.port}${path}`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        'idempotency-key': randomUUID(),
      },
      body: JSON.stringify(body),
    });
    return { status: answer.status, text: await answer.text() };
  };
  const search = (question: object) => post('/v1/customers/search', held.desk, question);
  const tryImport = () => post('/v1/imports/customers/rows', held.shop, A_ROW);
  row('start until the api listens', performance.now() - begun, 'ms');
  while ((await search({ email: personOf(0).email })).status === 503) await delay(ASK_EVERY_MS);
  row('start until look-ups are answered', performance.now() - begun, 'ms');
  const resident = async () => {
    const status = await readFile(`/proc/${api.pid}/status`, 'utf8');
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)![1]) / KIB;
  };
  row('resident memory of the api then', await resident(), 'MiB');
  const early = await latenciesOf(WARM_UP, 1, (n) => search({ email: personOf(n).email }));
  row('look-up by email right then, p50', quantile(early.samples, 0.5), 'ms');
  for (let tried = await tryImport(); tried.status !== 200; tried = await tryImport())
    if (tried.status !== 503) throw new Error(`import: ${tried.status} ${tried.text.slice(0, 200)}`);
  row('start until an import is taken', performance.now() - begun, 'ms');
  row('resident memory of the api after that', await resident(), 'MiB');
  // Spread over all of them, so that no key is held when it is asked for.
  const asked = (n: number) => personOf(Math.floor(((n * 7_919) % ASKED) * (customers / ASKED)));
  for (const kind of ['email', 'phone', 'name'] as const) {
    const one = async (n: number) => {
      const { status: code, text } = await search({ [kind]: asked(n)[kind] });
      if (code !== 200 || !text.includes('customerId')) throw new Error(`${kind}: ${code} ${text.slice(0, 200)}`);
    };
    await latenciesOf(WARM_UP, 4, one);
    const { samples } = await latenciesOf(ASKED, 1, one);
    row(`look-up by ${kind}, p50`, quantile(samples, 0.5), 'ms');
    row(`look-up by ${kind}, p99`, quantile(samples, 0.99), 'ms');
  }
  await api.stop();
};
