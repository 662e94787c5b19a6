import { execFile } from 'node:child_process';
import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { TraceCollector } from '#testing';
import { Installation, eventually } from '../journeys/installation.js';
import { searchEverything, sql } from './everything-kept.js';
import type { Marks } from './marked-people.js';
import { marked, marksOf } from './marked-people.js';
import { needlesOf, searchBytes } from './marks.js';
import { misuse } from './misuse.js';

const KARI: Marks = ['Qzvxaklm', '41357924', '917283648'];
const ODA: Marks = ['Wyqjzdorf', '98461357', '846291733'];
const IMPORTED: Marks = ['Xwqubjyst', '47913582', '837192641'];
const MARKS = [KARI, ODA, IMPORTED].flatMap(marksOf);
/** Each place gets a mark of its own, or what was planted before would be found again. */
const LETTERS = 'abcdefghijkl';
let placed = 0;
const planted = (letter: string) => `Jvwqxnop${letter}`;
/** The trace of a caller: what is stored may not lead to it, or all that one request wrote would be joined for ever. */
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const rights = { purpose: 'rettigheter' } as const;

/**
 * P8: no personal value stands in clear in any file, database, log, trace or output; at any time, erased or not. Everything here runs
 * in order on one installation, because what is searched for at the end is what all of it left.
 */
describe('nothing in clear (P8)', () => {
  let makuler: Installation;
  let collector: TraceCollector;
  let elsewhere: string;
  const ids: { customerId: string; companyId: string; caseId: string; purchaseId: string }[] = [];
  const said: { status: number; text: string }[] = [];
  const cliSaid: Record<string, string> = {};

  beforeAll(async () => {
    elsewhere = await mkdtemp(join(tmpdir(), 'makuler-export-'));
    makuler = await Installation.create({ policy: 'policy/webshop' });
    collector = await TraceCollector.start();
    await makuler.start([], { OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint });
  }, 90_000);
  afterAll(async () => {
    await makuler.destroy();
    await collector.stop();
    await rm(elsewhere, { recursive: true });
  });

  const expectNothing = async () => {
    const found = await searchEverything(makuler, [...MARKS, TRACE], cliSaid);
    expect(found.hits).toEqual([]);
    expect(searchBytes(Buffer.from(collector.bodies.join('\n')), needlesOf(MARKS), 'traces')).toEqual([]);
    // It did search: a home has hundreds of files, and four databases with their catalogues hundreds of tables.
    expect(found.files).toBeGreaterThan(500);
    expect(found.tables).toBeGreaterThan(400);
  };

  const did = async (work: ReturnType<Installation['post']>, status = 201) => {
    const reply = await work;
    expect([reply.status, reply.text]).toEqual([status, expect.any(String)]);
    return reply;
  };

  it.each([
    ['a person in private', KARI],
    ['another person', ODA],
  ] as const)(
    'takes %s in, with all that routes take',
    async (_, who) => {
      const person = marked(who);
      const purpose = 'avtale';
      const key = `once-${who[0]}`;
      const customer = await did(makuler.post('/v1/customers', person.customer, { purpose, key }));
      const again = await did(makuler.post('/v1/customers', person.customer, { purpose, key }));
      expect(again.body).toEqual(customer.body);
      await did(makuler.post('/v1/customers', { ...person.customer, name: `${who[0]}else` }, { purpose, key }), 422);
      const company = await did(makuler.post('/v1/companies', person.company, { purpose }));
      const { customerId } = customer.body;
      const { companyId } = company.body;
      const purchase = await did(makuler.post('/v1/purchases', person.purchase(customerId), { purpose }));
      const { purchaseId } = purchase.body;
      const opened = await did(
        makuler.post('/v1/service-cases', person.serviceCase(customerId, purchaseId), { purpose }),
      );
      const caseId: string = opened.body.serviceCaseId;
      for (const text of person.texts.slice(0, 2))
        await did(
          makuler.post(`/v1/service-cases/${caseId}/notes`, { text }, { as: 'service-desk', purpose: 'kundehjelp' }),
        );
      ids.push({ customerId, companyId, caseId, purchaseId });

      const card = await makuler.get(`/v1/customers/${customerId}`, {
        purpose,
        headers: { 'makuler-after': opened.headers.get('makuler-position')! },
      });
      expect(card.text).toContain(person.customer['name']);
      const { name, street } = person.rectified;
      const patched = await makuler.request('PATCH', `/v1/customers/${customerId}`, {
        purpose,
        body: { name, address: { ...(person.customer['address'] as object), street } },
        headers: { 'if-match': card.headers.get('etag')!, 'idempotency-key': `${key}-patch` },
      });
      expect([patched.status, patched.text]).toEqual([200, expect.any(String)]);
    },
    60_000,
  );

  it('answers every reader, and says to nobody else what it holds', async () => {
    for (const { customerId, companyId, caseId, purchaseId } of ids)
      for (const [as, purpose] of [
        ['compliance', 'rettigheter'],
        ['compliance', 'bokforing'],
        ['service-desk', 'kundehjelp'],
        ['integrator', 'avtale'],
      ] as const)
        for (const path of [
          `customers/${customerId}`,
          `customers/${customerId}/purchases`,
          `customers/${customerId}/service-cases`,
          `customers/${customerId}/holdings`,
          `companies/${companyId}`,
          `companies/${companyId}/holdings`,
          `purchases/${purchaseId}`,
          `service-cases/${caseId}`,
          'service-cases',
        ])
          for (const accept of ['application/json', 'text/csv'])
            await makuler.get(`/v1/${path}`, { as, purpose, headers: { accept } });
    for (const body of [
      { name: KARI[0] },
      { name: `${KARI[0]}hild` },
      { phone: `+47 ${KARI[1]}` },
      { email: marked(KARI).customer['email'] },
      { organisationNumber: KARI[2] },
    ]) {
      const found = await makuler.post('/v1/customers/search', body, { as: 'compliance', purpose: 'kundehjelp' });
      expect(found.status).toBe(200);
    }
  }, 60_000);

  it('never repeats a value that was sent where it does not belong', async () => {
    const person = marked(KARI);
    const values = [person.customer['name'], person.customer['email'], KARI[1], person.texts[0], KARI[2]] as string[];
    said.push(...(await misuse(makuler, values, ids[0]!.customerId)));
    expect(said.length).toBeGreaterThan(500);
    const needles = needlesOf(MARKS);
    const refused = said.filter(({ status }) => status >= 400);
    expect(refused.length).toBeGreaterThan(500);
    expect(refused.filter(({ text }) => searchBytes(Buffer.from(text), needles, '').length > 0)).toEqual([]);
  }, 110_000);

  it('imports an export, and says of its rejects where they stand and not what', async () => {
    const { customer, sourceKey } = marked(IMPORTED);
    const { name, email, phone } = customer as Record<string, string>;
    const row = (...values: string[]) => values.map((value) => `"${value}"`).join(',');
    const file = join(elsewhere, 'customers.csv');
    await writeFile(
      file,
      [
        'Key,Name,Mail,Phone',
        row(sourceKey, name!, email!, phone!),
        row(`${sourceKey}-b`, name!, name!, email!),
        row(`${sourceKey}-c`, '', email!, phone!),
      ].join('\n'),
    );
    const mapping = join(elsewhere, 'mapping.yaml');
    await writeFile(
      mapping,
      'kind: customers\nsource: old-shop\nkey: Key\nfields:\n  relationship: { constant: customer }\n  name: Name\n  email: Mail\n  phone: Phone\n',
    );
    const main = new URL('../../dist/apps/cli/src/main.js', import.meta.url).pathname;
    for (const run of ['first', 'second']) {
      const { stdout, stderr } = await promisify(execFile)(process.execPath, [
        main,
        'import',
        'customers',
        file,
        '--mapping',
        mapping,
        '--home',
        makuler.home,
      ]).catch((error: { stdout: string; stderr: string }) => error);
      cliSaid[`the ${run} import`] = `${stdout}${stderr}`;
    }
    cliSaid['the rejects'] = await readFile(`${file}.rejects.csv`, 'utf8');
    const found = await makuler.post('/v1/customers/search', { email }, { as: 'compliance', purpose: 'kundehjelp' });
    expect(found.body.items).toHaveLength(1);
  }, 60_000);

  it('shows in traces how a request goes through the programs, and nothing of whom it was about', async () => {
    const caller = '00f067aa0ba902b7';
    const { customer } = marked(ODA);
    const headers = { traceparent: `00-${TRACE}-${caller}-01` };
    const reply = await did(makuler.post('/v1/customers', customer, { purpose: 'avtale', headers }));
    const named = (name: string, program?: string) =>
      collector.spans.filter((span) => span.name === name && (!program || span.program === program));
    const ours = (name: string, program: string) => named(name, program).find(({ traceId }) => traceId === TRACE);
    await eventually(
      async () => [ours('vault Mint', 'vault'), ours('POST /v1/customers', 'api'), ...named('apply customer_card')],
      (found) => found.length > 2 && !found.includes(undefined),
    );
    const request = ours('POST /v1/customers', 'api')!;
    const command = ours('RegisterCustomer', 'api')!;
    const [asked, append] = [ours('vault Mint', 'api')!, ours('append', 'api')!];
    expect(request.attributes).toMatchObject({
      'makuler.request_id': reply.headers.get('makuler-request-id'),
      'http.route': '/v1/customers',
      'http.response.status_code': 201,
    });
    expect(
      [request, command, asked, append, ours('vault Mint', 'vault')!].map(({ parentSpanId }) => parentSpanId),
    ).toEqual([caller, request.spanId, command.spanId, command.spanId, asked.spanId]);
    // What the log makes others do is a trace of its own: nothing that is stored leads from an event to who wrote it.
    expect(named('apply customer_card').filter(({ parentSpanId }) => parentSpanId !== undefined)).toEqual([]);

    const text = collector.bodies.join('\n');
    expect(collector.spans.length).toBeGreaterThan(2_000);
    const about = [...ids.flatMap((one) => Object.values(one)), reply.body.customerId as string];
    expect(about.filter((id) => text.includes(id))).toEqual([]);
  }, 60_000);

  it('keeps none of it in clear while all of it is readable', expectNothing, 60_000);

  it('keeps none of it in clear when one is forgotten, everything is built anew, and the system has started again', async () => {
    for (const owner of [{ customerId: ids[0]!.customerId }, { companyId: ids[0]!.companyId }]) {
      const plan = await did(
        makuler.post(
          '/v1/erasures',
          { ...owner, ground: 'subject-request', note: marked(KARI).texts[2] },
          { as: 'compliance', ...rights },
        ),
      );
      const { erasureId, planHash } = plan.body;
      await makuler.get(`/v1/erasures/${erasureId}/plan`, { as: 'compliance', ...rights });
      await did(makuler.post(`/v1/erasures/${erasureId}/approve`, { planHash }, { as: 'approver', ...rights }), 200);
      await did(makuler.post(`/v1/erasures/${erasureId}/execute`, {}, { as: 'compliance', ...rights }), 202);
      await eventually(
        () => makuler.get(`/v1/erasures/${erasureId}`, { as: 'compliance', ...rights }),
        ({ body }) => body?.state === 'erased',
      );
    }
    const purchase = marked(KARI).purchase(ids[0]!.customerId);
    const late = await makuler.post('/v1/purchases', purchase, { purpose: 'avtale' });
    expect(late.status).toBe(409);
    const { items } = (await makuler.get('/v1/projections', { as: 'operator' })).body as {
      items: { name: string; kind: string }[];
    };
    for (const { name, kind } of items)
      if (kind === 'projection')
        await did(makuler.post(`/v1/projections/${name}/rebuild`, {}, { as: 'operator' }), 202);
    await eventually(
      () => makuler.get('/v1/projections', { as: 'operator' }),
      ({ body }) => body.items.every((p: any) => p.state === 'running' && p.rebuild === null),
    );
    await expectNothing();
    await makuler.stop();
    // And with a collector that is not there.
    await makuler.start([], { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' });
    expect((await makuler.get('/v1/projections', { as: 'operator' })).status).toBe(200);
    await expectNothing();
  }, 120_000);

  it.each([
    ['a file in the home', (mark: string) => writeFile(join(makuler.home, 'planted'), `x${mark}x`)],
    [
      'a file at the custodian',
      (mark: string) => writeFile(join(makuler.custodian, 'a', 'planted'), JSON.stringify({ who: mark.toLowerCase() })),
    ],
    [
      'a line of a log',
      (mark: string) => appendFile(join(makuler.home, 'logs', 'api.log'), `{"url":"/v1/customers/${mark}"}\n`),
    ],
    ['the output', async (mark: string) => void (makuler.output += `${mark}\n`)],
    [
      'a long value of a row, which the server compresses',
      (mark: string) =>
        sql(
          makuler,
          'readmodels',
          `create table planted as select repeat('lorem ipsum ', 50000) || $1 || repeat('dolor sit ', 50000) as text`,
          [mark],
        ),
    ],
    [
      'bytes in a row',
      (mark: string) =>
        sql(makuler, 'vault', 'create table planted as select $1::bytea as bytes', [
          Buffer.from(`..${mark}`, 'utf16le'),
        ]),
    ],
    [
      'the payload of a job',
      (mark: string) =>
        sql(makuler, 'control', 'create table planted as select jsonb_build_object($1::text, $2::text) as payload', [
          'note',
          Buffer.from(mark).toString('base64'),
        ]),
    ],
    [
      'the metadata of an event',
      (mark: string) =>
        sql(makuler, 'events', 'create table planted as select json_build_object($1::text, $2::text) as metadata', [
          'actor',
          mark.toUpperCase(),
        ]),
    ],
    [
      'statistics on a column',
      async (mark: string) => {
        await sql(makuler, 'postgres', 'create table planted as select $1::text as who from generate_series(1, 50)', [
          mark,
        ]);
        await sql(makuler, 'postgres', 'analyze planted');
      },
    ],
  ])(
    'would find a mark in %s',
    async (_, plant) => {
      const mark = planted(LETTERS[placed++]!);
      await plant(mark);
      const { hits } = await searchEverything(makuler, [mark]);
      expect(hits.length).toBeGreaterThan(0);
    },
    30_000,
  );
});
