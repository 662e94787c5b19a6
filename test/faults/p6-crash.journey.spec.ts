import type { Opened } from '#kernel';
import { valueOf } from '#kernel';
import type { RecordedEvent } from '#ledger';
import type { PartName } from '../journeys/installation.js';
import { Installation, eventually } from '../journeys/installation.js';
import type { RawEvent } from './behind-the-api.js';
import { BehindTheApi } from './behind-the-api.js';
import type { Command, Kind } from './busy-clients.js';
import { BusyClients } from './busy-clients.js';
import { Erasing } from './erasing.js';
import { rebuiltElsewhere, shown } from './rebuilt-elsewhere.js';

const IN_FLIGHT = 32;
const ROUNDS = Number(process.env['MAKULER_CRASH_ROUNDS'] ?? 20);
const VICTIMS: readonly (PartName | 'everything')[] = [
  ...(['postgres', 'event-node', 'vault', 'api', 'projector', 'worker'] as const),
  'everything',
];
/** An erasure begins in the middle of the load and the kills, every so many rounds; the first begins before them. */
const ERASURE_EVERY = 3;

/** P6: an acknowledged command survives `kill -9` of any process at any moment, once. */
describe(`a system that is killed ${ROUNDS} times under load`, () => {
  let makuler: Installation;
  let clients: BusyClients;
  let behind: BehindTheApi;
  let log: readonly RawEvent[];
  const opened = new Map<string, RecordedEvent>();
  /** Events by the words of the busy clients that stand in them, and streams by the purchase or case noted in them. */
  const traces = new Map<string, RecordedEvent[]>();
  const noted = new Map<string, string[]>();
  const erased: string[] = [];

  beforeAll(async () => {
    makuler = await Installation.create({ policy: 'policy/webshop' });
    await makuler.start();
    const erasing = new Erasing(makuler);
    const doomed = await Promise.all(Array.from({ length: Math.ceil(ROUNDS / ERASURE_EVERY) }, () => person(makuler)));
    clients = new BusyClients(makuler, IN_FLIGHT);
    await goesOn();
    const erasures: Promise<unknown>[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const next = round % ERASURE_EVERY === 0 ? doomed[round / ERASURE_EVERY] : undefined;
      if (next !== undefined) {
        erased.push(next);
        erasures.push(erasing.toTheEnd(next));
      }
      await new Promise((resolve) => setTimeout(resolve, 100 + Math.random() * 900));
      await kill(VICTIMS[round % VICTIMS.length]!);
      await goesOn();
    }
    await clients.stop();
    await Promise.all(erasures);
    behind = await BehindTheApi.of(makuler);
    log = await behind.log();
    const { ledger } = await behind.parts();
    const head = await ledger.head();
    for await (const { events, position } of ledger.subscribe({})) {
      for (const event of events) take(event);
      if (position >= head) break;
    }
  }, 600_000);

  afterAll(async () => {
    await behind?.close();
    await makuler.destroy();
  }, 60_000);

  const take = (event: RecordedEvent): void => {
    opened.set(event.eventId, event);
    const data = shown(event.data);
    for (const word of new Set(JSON.stringify(data).match(WORD) ?? []))
      traces.set(word, [...(traces.get(word) ?? []), event]);
    const recordId = event.type === 'customer.activity-noted' ? String(data['recordId']) : '[erased]';
    if (recordId !== '[erased]') noted.set(recordId, [...(noted.get(recordId) ?? []), event.stream]);
  };

  const kill = async (victim: PartName | 'everything'): Promise<void> => {
    if (victim === 'everything') {
      await makuler.killEverything();
      return makuler.start();
    }
    const before = (await makuler.pids())[victim];
    await makuler.signal(victim, 'SIGKILL');
    await eventually(
      () => makuler.pids(),
      (pids) => pids[victim] !== before,
      60_000,
    );
  };

  /** Nothing is stuck: soon commands are acknowledged again, more than may have been under way. */
  const goesOn = async (): Promise<void> => {
    const before = clients.acknowledged;
    await eventually(
      () => Promise.resolve(clients.acknowledged),
      (now) => now >= before + 2 * IN_FLIGHT,
      60_000,
    );
  };

  const sent = (kind: Kind, fate: Command['fate']) =>
    clients.commands.filter((c) => c.kind === kind && c.fate === fate);
  /** The events that a command wrote; its word may stand in later ones too (a buyer's name in an invoice). */
  const tracesOf = ({ kind, mark }: Command) =>
    (traces.get(mark) ?? []).filter(({ type }) => WRITES[kind].includes(type));
  const typesIn = (stream: string) => log.filter((event) => event.stream === stream).map(({ type }) => type);

  it('was under load of every kind, with doubtful and abandoned commands and without refused ones', () => {
    for (const kind of ['register', 'purchase', 'open', 'transition', 'note', 'rectify'] as const) {
      expect([kind, sent(kind, 'acknowledged').length > 0]).toEqual([kind, true]);
      expect(sent(kind, 'refused').map(({ reply }) => reply?.text)).toEqual([]);
    }
    expect(clients.commands.some(({ fate, attempts }) => fate === 'acknowledged' && attempts > 1)).toBe(true);
    expect(clients.commands.some(({ fate }) => fate === 'abandoned')).toBe(true);
  });

  it('has a log without holes or doubles', () => {
    expect(log.map(({ position }) => position)).toEqual(log.map((_, index) => index + 1));
    expect(new Set(log.map(({ id }) => id)).size).toBe(log.length);
    const next = new Map<string, number>();
    for (const { stream, revision } of log) {
      expect([stream, revision]).toEqual([stream, next.get(stream) ?? 0]);
      next.set(stream, revision + 1);
    }
  });

  it('holds every acknowledged command exactly once, under the ids of its answer', () => {
    const wrong: unknown[] = [];
    const must = (command: Command, found: unknown, expected: unknown) => {
      if (JSON.stringify(found) !== JSON.stringify(expected)) wrong.push({ kind: command.kind, found, expected });
    };
    for (const command of clients.commands.filter(
      ({ fate, kind }) => fate === 'acknowledged' && kind !== 'transition',
    )) {
      const { customerId, companyId, purchaseId, serviceCaseId } = command.reply!.body;
      const places = tracesOf(command).map(({ stream, type }) => `${stream} ${type}`);
      switch (command.kind) {
        case 'register':
          must(command, typesIn(`customer-${customerId}`)[0], 'customer.registered');
          must(command, places, [
            ...(companyId ? [`company-${companyId} company.registered`] : []),
            `customer-${customerId} customer.registered`,
          ]);
          must(command, companyId !== undefined, 'company' in command.body);
          break;
        case 'purchase':
          must(command, typesIn(`purchase-${purchaseId}`), ['purchase.recorded', 'purchase.invoiced']);
          must(
            command,
            places,
            PURCHASED.map((type) => `purchase-${purchaseId} ${type}`),
          );
          break;
        case 'open':
          must(command, places, [`service-${serviceCaseId} service-case.opened`]);
          break;
        case 'note':
          must(command, places, [`service-${command.about} service-case.note-added`]);
          break;
        case 'rectify':
          must(command, places, [`customer-${command.about} customer.rectified`]);
          break;
        case 'transition':
          break;
      }
    }
    expect(wrong).toEqual([]);
  });

  it('notes in the persons’ own streams once what was bought or asked, and one first purchase for each', () => {
    expect([...noted.values()].filter((streams) => streams.length > 1)).toEqual([]);
    const bought = [...opened.values()].filter(({ type }) => type === 'purchase.recorded');
    const firsts = bought.filter(({ data }) => (data as { firstPurchase?: boolean }).firstPurchase === true);
    const buyers = new Set(sent('purchase', 'acknowledged').map(({ about }) => about));
    for (const buyer of buyers) expect([...noted.values()].flat()).toContain(`customer-${buyer}`);
    // Of those who were erased nobody can say any more whose purchase was whose.
    const ofWhom = firsts.flatMap(({ stream }) => noted.get(stream.slice('purchase-'.length)) ?? []);
    expect(ofWhom).toHaveLength(firsts.length - erased.length);
    expect(new Set(ofWhom).size).toBe(ofWhom.length);
  });

  it('has taken every acknowledged step of every case once and in order', () => {
    for (const [id, steps] of Map.groupBy(
      clients.commands.filter(({ kind }) => kind === 'transition'),
      ({ about }) => about!,
    )) {
      const taken = log.filter(({ stream, type }) => stream === `service-${id}` && type === 'service-case.advanced');
      const asked = steps.map(({ body }) => body.to as string);
      const certain = steps.filter(({ fate }) => fate === 'acknowledged').length;
      expect(asked.slice(0, taken.length)).toEqual(taken.map(({ data }) => data['status']));
      expect(taken.length).toBeGreaterThanOrEqual(certain);
    }
  });

  it('holds every command that was given up wholly or not at all', () => {
    const halves: unknown[] = [];
    for (const command of clients.commands.filter(({ fate, mark }) => fate === 'abandoned' && mark !== '')) {
      const { kind } = command;
      const types = tracesOf(command).map(({ type }) => type);
      const whole =
        types.length === 0 ||
        (kind === 'purchase' && types.join() === PURCHASED.join()) ||
        // The company is written first, wholly; the customer never without it. Given up in between, the company stands alone.
        (kind === 'register' &&
          /^company.registered(,customer.registered)?$|^customer.registered$/.test(types.join())) ||
        (kind !== 'purchase' && kind !== 'register' && types.length === 1);
      if (!whole) halves.push({ kind, types });
    }
    expect(halves).toEqual([]);
    const known = new Set(log.map(({ stream }) => stream));
    for (const { data, type } of opened.values()) {
      if (type !== 'customer.registered') continue;
      const { companyId } = data as { companyId?: Opened<string | null> };
      const id = valueOf(companyId);
      if (id) expect(known).toContain(`company-${id}`);
    }
  });

  it('has brought every erasure to its end, once', () => {
    for (const id of erased) {
      const types = typesIn(`customer-${id}`);
      for (const once of ['subject.erased', 'erasure.executed', 'erasure.verified', 'erasure.certified'])
        expect([once, types.filter((type) => type === once).length]).toEqual([once, 1]);
      const registered = [...opened.values()].find(
        ({ stream, type }) => stream === `customer-${id}` && type === 'customer.registered',
      )!;
      expect(shown(registered.data)).toMatchObject({ name: '[erased]' });
    }
  });

  it('leaves nothing stuck: all is ready, and no command waits but those that were given up', async () => {
    const ready = async () => (await makuler.get('/health/ready', { as: 'nobody' })).status;
    expect(await eventually(ready, (status) => status === 200)).toBe(200);
    const { body } = await makuler.get('/v1/projections', { as: 'operator' });
    expect(body.items.filter(({ state }: { state: string }) => state !== 'running')).toEqual([]);
    const { rows } = await behind.database('control').query('select count(*) from idempotency where seed is not null');
    const givenUp = clients.commands.filter(({ fate }) => fate === 'abandoned').length;
    expect(Number(rows[0].count)).toBeLessThanOrEqual(givenUp);
  });

  it('has read models that equal the log', async () => {
    const { live, rebuilt } = await rebuiltElsewhere(behind);
    expect(live).toEqual(rebuilt);
    const count = (...types: readonly string[]) => log.filter(({ type }) => types.includes(type)).length;
    expect(live['customer_card.customer_card']).toHaveLength(count('customer.registered'));
    expect(live['company_card.company_card']).toHaveLength(count('company.registered'));
    expect(live['purchase_history.purchase_history']).toHaveLength(count('purchase.recorded'));
    expect(live['service_status.service_status']).toHaveLength(count('service-case.opened'));
    expect(live['erasure_board.erasure_board']).toHaveLength(erased.length);
  }, 120_000);
});

const PURCHASED = ['purchase.recorded', 'purchase.invoiced'] as const;
const WRITES: Readonly<Record<Kind, readonly string[]>> = {
  register: ['company.registered', 'customer.registered'],
  purchase: PURCHASED,
  open: ['service-case.opened'],
  transition: ['service-case.advanced'],
  note: ['service-case.note-added'],
  rectify: ['customer.rectified'],
};
/** A busy client's word. */
const WORD = /\b[a-p]{32}\b/g;

/** Somebody with something of every kind, whom no busy client knows. */
const person = async (makuler: Installation): Promise<string> => {
  const registered = await makuler.post(
    '/v1/customers',
    { relationship: 'customer', name: 'Den Som Glemmes', email: 'glem@example.no' },
    { purpose: 'avtale' },
  );
  const { customerId } = registered.body;
  const line = { kind: 'product', itemType: 'fres', description: 'Fres', quantity: '1', unitPrice: '10.00' };
  const invoice = { number: '1', date: '2026-11-01', delivery: { date: '2026-11-01' } };
  const body = { customerId, purchasedAt: '2026-11-01', currency: 'NOK', lines: [line], invoice };
  const bought = await makuler.post('/v1/purchases', body, { purpose: 'avtale' });
  expect([bought.status, bought.text]).toEqual([201, expect.any(String)]);
  return customerId as string;
};
