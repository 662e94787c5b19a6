import type { Reply, RequestOptions } from '../journeys/installation.js';
import { Installation, eventually } from '../journeys/installation.js';
import { persist } from './persistent-client.js';
import { readModels } from './read-models.js';

export const rights: RequestOptions = { as: 'compliance', purpose: 'rettigheter' };
const help: RequestOptions = { as: 'compliance', purpose: 'kundehjelp' };
/** What an answer may say when a key can't be had. */
export const OUTAGE_CODES = [
  'vault-unavailable',
  // What a read leaves behind is sealed under the rest of a lease, and may be too late for the log.
  'store-unavailable',
  'lookup-warming',
  'scope-unknown',
  'key-damaged',
  'projection-behind',
  'projection-failed',
];

export interface Witness {
  readonly customerId: string;
  readonly name: string;
  /** Position of the last that was written about them. */
  readonly after: string;
  /** Whether they have a case. */
  readonly repair: boolean;
}

interface ProjectionAnswer {
  readonly name: string;
  readonly state: string;
  readonly lag: string;
  readonly rebuild: { readonly state: string } | null;
}

/** An installation with people in it who are asked for, whatever happens to the vault: none of them was erased. */
export class Witnesses {
  readonly people: Witness[] = [];
  #serial = 0;

  private constructor(readonly makuler: Installation) {}

  /** Starts one with three people, and a fourth who was really erased. */
  static async start(): Promise<Witnesses> {
    const makuler = await Installation.create({ policy: 'policy/webshop' });
    await makuler.start();
    const witnesses = new Witnesses(makuler);
    for (let n = 0; n < 4; n++) await witnesses.take({ repair: n > 0 });
    await witnesses.erase(witnesses.people.shift()!);
    return witnesses;
  }

  /** A new person with a purchase and a repair: each projection has something to write. An open repair defers an erasure. */
  async take({ repair = true } = {}): Promise<Witness> {
    const { makuler, people } = this;
    const name = `Person Nummer${'abcdefghijklmnop'[this.#serial]}`;
    const email = `p${this.#serial++}@example.no`;
    const created = async (path: string, body: object) => {
      // Somebody may come while a vault that was killed is not back yet: what is known of others is read under the rest of a lease.
      const { reply } = await persist(makuler, 'POST', path, { body, purpose: 'avtale' });
      expect([reply?.status, reply?.text]).toEqual([201, expect.any(String)]);
      return reply!;
    };
    const { customerId } = (await created('/v1/customers', { relationship: 'customer', name, email })).body;
    const lines = [
      { kind: 'product', itemType: 'lager', description: `til ${name}`, quantity: '1', unitPrice: '10.00' },
    ];
    let last = await created('/v1/purchases', { customerId, purchasedAt: '2026-03-10', currency: 'NOK', lines });
    if (repair)
      last = await created('/v1/service-cases', {
        customerId,
        kind: 'repair',
        item: { itemType: 'lager' },
        description: `fra ${name}`,
      });
    people.push({ customerId, name, after: last.headers.get('makuler-position')!, repair });
    return people.at(-1)!;
  }

  async erase({ customerId }: Witness): Promise<void> {
    const { makuler } = this;
    const { erasureId, planHash } = (
      await makuler.post('/v1/erasures', { customerId, ground: 'subject-request' }, rights)
    ).body;
    await makuler.post(`/v1/erasures/${erasureId}/approve`, { planHash }, { ...rights, as: 'approver' });
    await makuler.post(`/v1/erasures/${erasureId}/execute`, {}, rights);
    await eventually(
      () => makuler.get(`/v1/erasures/${erasureId}`, rights),
      ({ body }) => body?.state === 'erased',
    );
  }

  #ask({ customerId, name, repair }: Witness): Promise<Reply>[] {
    const { makuler } = this;
    return [
      makuler.get(`/v1/customers/${customerId}`, rights),
      makuler.get(`/v1/customers/${customerId}/purchases`, help),
      ...(repair ? [makuler.get(`/v1/customers/${customerId}/service-cases`, help)] : []),
      makuler.post('/v1/customers/search', { name: name.split(' ')[1] }, help),
    ];
  }

  /** Every answer says the person's name or is an error of its own kind; none looks erased, withheld or empty. */
  async expectHonest(person: Witness): Promise<readonly number[]> {
    const answers = await Promise.all(this.#ask(person));
    for (const { status, text, body } of answers)
      if (status === 200) expect(text).toContain(person.name);
      else
        expect([status, OUTAGE_CODES, text]).toEqual([
          503,
          expect.arrayContaining([body?.code]),
          expect.not.stringContaining('$state'),
        ]);
    return answers.map(({ status }) => status);
  }

  async states(): Promise<readonly ProjectionAnswer[]> {
    return (await this.makuler.get('/v1/projections', { as: 'operator' })).body.items;
  }

  /** Every projection is at the end of the log, and nothing is being rebuilt. */
  async settled(): Promise<void> {
    await eventually(
      () => this.states(),
      (items) =>
        items?.every(({ state, lag, rebuild }) => state === 'running' && Number(lag) === 0 && rebuild === null),
      60_000,
    );
  }

  /** All is as it was: every person reads, and rows that stood before stand. */
  async expectAllBack(before: Readonly<Record<string, readonly string[]>>): Promise<void> {
    await this.settled();
    for (const person of this.people)
      await eventually(
        () => this.expectHonest(person),
        (statuses) => statuses.every((status) => status === 200),
      );
    const after = await readModels(this.makuler);
    // The analysts' sums grow by what is new; each of the other rows is about somebody.
    for (const [table, rows] of Object.entries(before))
      if (!table.startsWith('analytics')) expect(after[table]).toEqual(expect.arrayContaining([...rows]));
  }
}
