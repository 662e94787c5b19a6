import { randomUUID } from 'node:crypto';
import type { Installation, RequestOptions } from '../journeys/installation.js';
import { eventually } from '../journeys/installation.js';
import { persist } from './persistent-client.js';

/** Somebody who is going to be erased, with something of every kind to add to. */
export interface Person {
  readonly customerId: string;
  readonly companyId: string | undefined;
  /** A case of theirs that is closed: notes may still be added to it. */
  readonly caseId: string;
  readonly email: string;
}

/** What somebody tried to write about a person, and what came of it. */
export interface Write {
  readonly kind: 'purchase' | 'case' | 'note' | 'rectification' | 'row';
  readonly outcome: 'acknowledged' | 'refused';
  /** Of a refusal. */
  readonly code: string | undefined;
  /** Purchase or case that it is about or made; undefined when nothing was made. */
  readonly partition: string | undefined;
}

const word = (): string => randomUUID().replaceAll('-', '');
const line = { kind: 'product', itemType: 'fres', description: 'Fres', quantity: '1', unitPrice: '10.00' };
const purchaseOf = (customerId: string) => ({
  ...{ customerId, purchasedAt: '2026-11-01', currency: 'NOK', lines: [line] },
  invoice: { number: word(), date: '2026-11-01', delivery: { date: '2026-11-01' } },
});

/** Writes about persons, as the web shop, an import and the service desk do: sent again until they are answered for good. */
export class LateWrites {
  readonly all: Write[] = [];

  constructor(private readonly makuler: Installation) {}

  /** Registers somebody who has bought, come with a case, and been put right once. */
  async person({ ofCompany = false, caseOpen = false } = {}): Promise<Person> {
    const email = `${word()}@example.no`;
    const body = {
      ...{ relationship: 'customer', name: 'Sein Ankomst', email },
      ...(ofCompany ? { company: { name: 'Sein AS', legalForm: 'AS' } } : {}),
    };
    const registered = await this.#send('POST', '/v1/customers', { body, purpose: 'avtale' });
    const { customerId, companyId } = registered.reply!.body;
    const opening = { customerId, kind: 'repair', item: { itemType: 'fres' }, description: 'Den skjærer skjevt' };
    const opened = await this.#send('POST', '/v1/service-cases', { body: opening, purpose: 'kundehjelp' });
    const caseId = opened.reply!.body.serviceCaseId as string;
    this.all.push({ kind: 'case', outcome: 'acknowledged', code: undefined, partition: caseId });
    const person = { customerId, companyId, caseId, email };
    if (!caseOpen) await this.close(person);
    for (const kind of ['purchase', 'note', 'rectification', 'row'] as const) await this.write(kind, person);
    return person;
  }

  async close({ caseId }: Person): Promise<void> {
    const path = `/v1/service-cases/${caseId}/transitions`;
    await this.#send('POST', path, { body: { to: 'closed' }, purpose: 'kundehjelp', as: 'service-desk' });
  }

  /** One of every kind, at once. */
  ofEveryKind(person: Person): Promise<Write[]> {
    const kinds = ['purchase', 'case', 'note', 'rectification', 'row'] as const;
    return Promise.all(kinds.map((kind) => this.write(kind, person)));
  }

  async write(kind: Write['kind'], person: Person): Promise<Write> {
    const write = await this.#write(kind, person);
    this.all.push(write);
    return write;
  }

  async #write(kind: Write['kind'], { customerId, caseId }: Person): Promise<Write> {
    switch (kind) {
      case 'purchase': {
        const sent = await this.#send('POST', '/v1/purchases', { body: purchaseOf(customerId), purpose: 'avtale' });
        return writeOf(kind, sent, sent.reply?.body?.purchaseId);
      }
      case 'case': {
        const body = { customerId, kind: 'enquiry', item: { itemType: 'fres' }, description: 'Når kommer den?' };
        const sent = await this.#send('POST', '/v1/service-cases', { body, purpose: 'kundehjelp' });
        const partition = sent.reply?.body?.serviceCaseId as string | undefined;
        if (sent.fate === 'acknowledged') await this.close({ caseId: partition! } as Person);
        return writeOf(kind, sent, partition);
      }
      case 'note': {
        const options = { body: { text: 'Ringte' }, purpose: 'kundehjelp', as: 'service-desk' } as const;
        return writeOf(kind, await this.#send('POST', `/v1/service-cases/${caseId}/notes`, options), caseId);
      }
      case 'rectification':
        return this.#rectify(customerId);
      case 'row': {
        const row = { line: 1, key: word(), record: purchaseOf(customerId) };
        const body = { source: 'late', rows: [row] };
        const sent = await this.#send('POST', '/v1/imports/purchases/rows', { body, purpose: 'avtale' });
        const [result] = sent.reply?.body?.results ?? [];
        if (result?.outcome !== 'rejected') return writeOf(kind, sent, result?.id);
        return { kind, outcome: 'refused', code: result.errors[0].code, partition: undefined };
      }
    }
  }

  /** By the revision that the card has now: several at once would refuse each other, so each looks anew. */
  async #rectify(customerId: string): Promise<Write> {
    for (;;) {
      // A read that meets the shredding of what it has just opened is answered 503, and is asked again.
      const card = await eventually(
        () => this.makuler.get(`/v1/customers/${customerId}`, { as: 'compliance', purpose: 'rettigheter' }),
        ({ status }) => status !== 503,
      );
      const revision = card.headers.get('etag');
      if (revision === null) throw new Error(`the card was not shown: ${card.text}`);
      const headers = { 'if-match': revision };
      const options = {
        body: { email: `${word()}@example.no` },
        purpose: 'rettigheter',
        as: 'compliance',
        headers,
      } as const;
      const sent = await this.#send('PATCH', `/v1/customers/${customerId}`, options);
      if (sent.reply?.status !== 412) return writeOf('rectification', sent, undefined);
    }
  }

  #send(method: string, path: string, options: RequestOptions & { readonly body: unknown }) {
    return persist(this.makuler, method, path, options);
  }
}

const writeOf = (
  kind: Write['kind'],
  { fate, reply }: Awaited<ReturnType<typeof persist>>,
  partition: string | undefined,
): Write =>
  fate === 'acknowledged'
    ? { kind, outcome: 'acknowledged', code: undefined, partition }
    : { kind, outcome: 'refused', code: reply?.body?.code, partition: undefined };
