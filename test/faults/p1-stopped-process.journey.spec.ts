import { setTimeout as delay } from 'node:timers/promises';
import type { RequestOptions } from '../journeys/installation.js';
import { Installation, eventually } from '../journeys/installation.js';
import { sql } from './everything-kept.js';
import { Connection } from './heard.js';

const rights: RequestOptions = { as: 'compliance', purpose: 'rettigheter' };
const help: RequestOptions = { as: 'compliance', purpose: 'kundehjelp' };
const NAME = 'Torbjørg Qvasslund';
const VALUES = [NAME, 'Qvasslund', 'torbjorg@qvasslund.example.no', '4741938275', 'Qvassmaskina'];
const STOPPED_MS = 10_000;

const OUTAGES = /"code":"(vault|store)-unavailable"/;

/** P1: once a person is erased, no process answers with a value of theirs, whatever it had cached and however long it slept. */
describe('a process that was stopped (P1)', () => {
  let makuler: Installation;
  beforeAll(async () => {
    makuler = await Installation.create({ policy: 'policy/webshop' });
    await makuler.start();
  }, 90_000);
  afterAll(() => makuler.destroy());

  const register = async (name: string, email: string, phone: string) => {
    const body = { relationship: 'customer', name, email, phone };
    const registered = await makuler.post('/v1/customers', body, { purpose: 'avtale' });
    expect([registered.status, registered.text]).toEqual([201, expect.any(String)]);
    const { customerId } = registered.body;
    const lines = [
      { kind: 'product', itemType: 'lager', description: 'til Qvassmaskina', quantity: '1', unitPrice: '10.00' },
    ];
    const purchase = { customerId, purchasedAt: '2026-03-10', currency: 'NOK', lines };
    const bought = await makuler.post('/v1/purchases', purchase, { purpose: 'avtale' });
    expect([bought.status, bought.text]).toEqual([201, expect.any(String)]);
    return { customerId: customerId as string, after: bought.headers.get('makuler-position')! };
  };

  /** Everything that gives a value of the person. */
  const questions = (customerId: string): readonly [string, string, RequestOptions][] => [
    ['GET', `/v1/customers/${customerId}`, rights],
    ['GET', `/v1/customers/${customerId}/purchases`, help],
    ['POST', '/v1/customers/search', { ...help, body: { name: 'Torbjørg' } }],
    ['POST', '/v1/customers/search', { ...help, body: { email: 'torbjorg@qvasslund.example.no' } }],
  ];

  it('never answers with what was erased while it slept', async () => {
    const { customerId, after } = await register(NAME, 'torbjorg@qvasslund.example.no', '41938275');
    // A warm cache: every question is answered with a value first.
    for (const [method, path, options] of questions(customerId)) {
      const headers = { 'makuler-after': after };
      const warm = await eventually(
        () => makuler.request(method, path, { ...options, headers }),
        ({ status }) => status === 200,
      );
      expect(VALUES.some((value) => warm.text.includes(value))).toBe(true);
    }
    const { erasureId, planHash, items } = (
      await makuler.post('/v1/erasures', { customerId, ground: 'subject-request' }, rights)
    ).body;
    expect(items.map((item: { action: string }) => item.action)).not.toContain('retain');
    await makuler.post(`/v1/erasures/${erasureId}/approve`, { planHash }, { as: 'approver', purpose: 'rettigheter' });

    const underWay = await Promise.all(Array.from({ length: 24 }, () => Connection.open(makuler)));
    const waiting = await Promise.all(questions(customerId).map(() => Connection.open(makuler)));
    // The worker does what is ordered now, and does nothing of it before the api sleeps.
    await makuler.signal('worker', 'SIGSTOP');
    expect((await makuler.post(`/v1/erasures/${erasureId}/execute`, {}, rights)).status).toBe(202);
    // Some of these are half answered when the process stops: opened, and not yet sent.
    for (const [n, connection] of underWay.entries()) connection.send(makuler, ...questions(customerId)[n % 4]!);
    await eventually(
      async () => underWay.filter(({ answers }) => answers > 0).length,
      (begun) => begun > 0,
    );
    await makuler.signal('api', 'SIGSTOP');
    const stoppedMs = performance.now();
    try {
      await makuler.signal('worker', 'SIGCONT');
      for (const [n, question] of questions(customerId).entries()) waiting[n]!.send(makuler, ...question);
      const [row] = await eventually(
        () =>
          sql(
            makuler,
            'readmodels',
            'select state, live_erased_at from erasure_board.erasure_board where erasure_id = $1',
            [erasureId],
          ),
        ([found]) => found?.live_erased_at !== null,
        60_000,
      );
      expect(row.live_erased_at.getTime()).toBeGreaterThan(Date.now() - (performance.now() - stoppedMs));
      await delay(Math.max(0, STOPPED_MS - (performance.now() - stoppedMs)));
    } finally {
      await makuler.signal('api', 'SIGCONT');
    }
    const erasedMs = performance.now();
    const late = await Promise.all(Array.from({ length: 4 }, () => Connection.open(makuler)));
    for (const [n, question] of questions(customerId).entries()) late[n]!.send(makuler, ...question);
    const all = [...underWay, ...waiting, ...late];
    await eventually(
      async () => all.filter((one) => one.answers === 0 && !one.closed).length,
      (unanswered) => unanswered === 0,
    );
    // The whole of each answer, not only its beginning.
    await delay(500);
    const told = all.map((one) => one.textSince(stoppedMs + STOPPED_MS / 2)).filter((text) => text !== '');
    expect(told.length).toBeGreaterThanOrEqual(waiting.length + late.length);
    expect(told.filter((text) => VALUES.some((value) => text.includes(value)))).toEqual([]);
    expect(erasedMs).toBeGreaterThan(stoppedMs + STOPPED_MS * 0.9);
    for (const one of all) one.close();

    const card = await eventually(
      () => makuler.get(`/v1/customers/${customerId}`, rights),
      ({ status }) => status === 200,
    );
    expect(card.body).toMatchObject({ name: { $state: 'erased' }, email: { $state: 'erased' } });
    for (const [method, path, options] of questions(customerId)) {
      const now = await eventually(
        () => makuler.request(method, path, options),
        ({ status }) => status === 200,
      );
      expect(VALUES.filter((value) => now.text.includes(value))).toEqual([]);
    }
  }, 110_000);

  it('answers 503 within the lease when it is cut off from the vault, never as if erased, and works again after', async () => {
    const { customerId, after } = await register('Sjur Åkre', 'sjur@example.no', '91234567');
    const read = () => makuler.get(`/v1/customers/${customerId}`, rights);
    await makuler.get(`/v1/customers/${customerId}`, { ...rights, headers: { 'makuler-after': after } });
    const [{ lease_ms: leaseMs }] = await sql(makuler, 'vault', 'select lease_ms from vault');
    const seen: { fromMs: number; toMs: number; status: number; text: string }[] = [];
    await makuler.signal('vault', 'SIGSTOP');
    const cutMs = performance.now();
    try {
      while (performance.now() - cutMs < 2 * leaseMs) {
        const fromMs = performance.now() - cutMs;
        const { status, text } = await read();
        seen.push({ fromMs, toMs: performance.now() - cutMs, status, text });
      }
      const search = await makuler.post('/v1/customers/search', { name: 'Sjur' }, help);
      expect([search.status, ['vault-unavailable', 'lookup-warming']]).toEqual([
        503,
        expect.arrayContaining([search.body.code]),
      ]);
      const write = await makuler.post('/v1/customers', { relationship: 'lead', name: 'Ny' }, { purpose: 'avtale' });
      expect([write.status, write.body.code]).toEqual([503, 'vault-unavailable']);
      expect((await makuler.get('/v1/analytics/customers', { as: 'analyst' })).status).toBe(200);
    } finally {
      await makuler.signal('vault', 'SIGCONT');
    }
    // A request that began after the lease had run out can't hold a value, however slow the machine is.
    expect(seen.filter(({ fromMs, text }) => fromMs > leaseMs && text.includes('Åkre'))).toEqual([]);
    expect(seen.find(({ status }) => status === 503)?.toMs).toBeLessThan(1.5 * leaseMs);
    // A read leaves a trace, which needs a key as well: the lease is the longest that an answer may still be a value.
    expect(seen.filter(({ status }) => status !== 200 && status !== 503)).toEqual([]);
    expect(seen.filter(({ text }) => text.includes('$state'))).toEqual([]);
    // What a read leaves behind is sealed under the rest of a lease, and may be too late for the log.
    expect(seen.filter(({ status, text }) => status === 503 && !OUTAGES.test(text))).toEqual([]);
    const back = await eventually(read, ({ status }) => status === 200);
    expect(back.body).toMatchObject({ name: 'Sjur Åkre', email: 'sjur@example.no' });
    const found = await eventually(
      () => makuler.post('/v1/customers/search', { name: 'Sjur' }, help),
      ({ status }) => status === 200,
    );
    expect(found.body.items).toHaveLength(1);
  }, 90_000);
});
