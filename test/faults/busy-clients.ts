import { randomUUID } from 'node:crypto';
import type { Installation } from '../journeys/installation.js';
import type { Sent } from './persistent-client.js';
import { persist } from './persistent-client.js';

export type Kind = 'register' | 'purchase' | 'open' | 'transition' | 'note' | 'rectify';

/** A command as a busy client sent it. `mark` is a random word in it that nothing else has. */
export interface Command extends Sent {
  readonly kind: Kind;
  readonly mark: string;
  /** Customer, purchase or case that it is about, where it is about one that exists. */
  readonly about: string | undefined;
}

/** Of letters alone: eleven digits in a row may be a national id, and texts with one are refused. */
const word = (): string =>
  randomUUID()
    .replaceAll('-', '')
    .replace(/\d/g, (digit) => String.fromCharCode('g'.charCodeAt(0) + Number(digit)));
/** What happens to a case, over and over: legal from each to the next. */
const ROUND = ['inProgress', 'awaitingPart', 'repaired', 'closed', 'reopened'] as const;

/** Clients that each have one command in flight at any time, and remember what became of it. */
export class BusyClients {
  readonly commands: Command[] = [];
  readonly #customers: string[] = [];
  readonly #running: Promise<void>[] = [];
  #stopping = false;

  constructor(
    private readonly makuler: Installation,
    count: number,
  ) {
    for (let n = 0; n < count; n++) this.#running.push(this.#client());
  }

  get acknowledged(): number {
    return this.commands.filter(({ fate }) => fate === 'acknowledged').length;
  }

  /** Lets each finish the command that it is at. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.#running);
  }

  async #client(): Promise<void> {
    let own: { id: string; revision: string } | undefined;
    let serviceCase: { id: string; step: number } | undefined;
    while (!this.#stopping) {
      const turn = Math.random();
      if (!own || turn < 0.15) own = await this.#register();
      else if (turn < 0.4) await this.#purchase();
      else if (!serviceCase || turn < 0.5) serviceCase = await this.#open();
      else if (turn < 0.7) serviceCase = await this.#transition(serviceCase);
      else if (turn < 0.85) await this.#note(serviceCase.id);
      else own = await this.#rectify(own);
    }
  }

  /** Any customer of any client, so that commands meet in one stream. */
  #anyCustomer(): string {
    return this.#customers[Math.floor(Math.random() * this.#customers.length)]!;
  }

  async #register() {
    const mark = word();
    const inline = Math.random() < 0.5;
    const body = {
      ...{ relationship: 'customer', name: `Kunde ${mark}`, email: `${mark}@example.no`, phone: '90012345' },
      ...(inline ? { company: { name: `Firma ${mark}`, legalForm: 'AS' } } : {}),
    };
    const { fate, reply } = await this.#send('register', mark, undefined, 'POST', '/v1/customers', body, 'avtale');
    if (fate !== 'acknowledged') return undefined;
    this.#customers.push(reply!.body.customerId);
    return { id: reply!.body.customerId as string, revision: reply!.headers.get('etag')! };
  }

  async #purchase(): Promise<void> {
    const mark = word();
    const body = {
      ...{ customerId: this.#anyCustomer(), purchasedAt: '2026-11-01', currency: 'NOK' },
      lines: [{ kind: 'product', itemType: 'fres', description: mark, quantity: '1', unitPrice: '100.00' }],
      invoice: { number: mark, date: '2026-11-01', delivery: { date: '2026-11-01' } },
    };
    await this.#send('purchase', mark, body.customerId, 'POST', '/v1/purchases', body, 'avtale');
  }

  async #open() {
    const mark = word();
    const customerId = this.#anyCustomer();
    const body = { customerId, kind: 'repair', item: { itemType: 'fres' }, description: mark };
    const { fate, reply } = await this.#send(
      ...(['open', mark, customerId, 'POST', '/v1/service-cases', body, 'kundehjelp'] as const),
    );
    return fate === 'acknowledged' ? { id: reply!.body.serviceCaseId as string, step: 0 } : undefined;
  }

  async #transition({ id, step }: { id: string; step: number }) {
    const body = { to: ROUND[step % ROUND.length]! };
    const path = `/v1/service-cases/${id}/transitions`;
    const { fate } = await this.#send('transition', '', id, 'POST', path, body, 'kundehjelp', 'service-desk');
    // Whether an abandoned step was taken nobody knows: that case is left alone.
    return fate === 'acknowledged' ? { id, step: step + 1 } : undefined;
  }

  async #note(id: string): Promise<void> {
    const mark = word();
    const path = `/v1/service-cases/${id}/notes`;
    await this.#send('note', mark, id, 'POST', path, { text: mark }, 'kundehjelp', 'service-desk');
  }

  async #rectify(own: { id: string; revision: string }) {
    const mark = word();
    const body = { email: `${mark}@example.no` };
    const headers = { 'if-match': own.revision };
    const { fate, reply } = await this.#send(
      ...(['rectify', mark, own.id, 'PATCH', `/v1/customers/${own.id}`, body, 'rettigheter'] as const),
      ...(['compliance', headers] as const),
    );
    return fate === 'acknowledged' ? { id: own.id, revision: reply!.headers.get('etag')! } : undefined;
  }

  async #send(
    kind: Kind,
    mark: string,
    about: string | undefined,
    method: string,
    path: string,
    body: unknown,
    purpose: string,
    as: 'integrator' | 'service-desk' | 'compliance' = 'integrator',
    headers: Record<string, string> = {},
  ): Promise<Sent> {
    const sent = await persist(this.makuler, method, path, { body, purpose, as, headers }, Math.random() < 0.2);
    this.commands.push({ ...sent, kind, mark, about });
    return sent;
  }
}
