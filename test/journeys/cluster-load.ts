import { setTimeout as delay } from 'node:timers/promises';
import type { Sent } from '../faults/persistent-client.js';
import { persist } from '../faults/persistent-client.js';
import type { Front } from './installation.js';

export interface LoadedCommand extends Sent {
  readonly kind: 'register' | 'purchase';
  /** From the first attempt to the answer, in milliseconds. */
  readonly tookMs: number;
}

/** Commands that wait for an answer at most; beyond it the load waits too, or an outage would be followed by a flood. */
const UNDER_WAY = 40;

/** A steady load of commands, each sent under one idempotency key until it is answered for good, to whichever api comes next. */
export class ClusterLoad {
  readonly done: LoadedCommand[] = [];
  readonly #underWay = new Set<Promise<unknown>>();
  readonly #customers: string[] = [];
  readonly #failures: unknown[] = [];
  readonly #running: Promise<void>;
  #stopping = false;
  #sent = 0;

  constructor(
    private readonly cluster: Front,
    private readonly perSecond: number,
  ) {
    this.#running = this.#run();
  }

  /** Answered for good so far. */
  get acknowledged(): number {
    return this.done.filter(({ fate }) => fate === 'acknowledged').length;
  }

  /** Sends no more, and resolves when the last is answered. Throws what no outage excuses: a 500. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#running;
    await Promise.all(this.#underWay);
    if (this.#failures.length > 0) throw this.#failures[0];
  }

  async #run(): Promise<void> {
    for (; !this.#stopping; await delay(1_000 / this.perSecond)) {
      if (this.#underWay.size >= UNDER_WAY) continue;
      const sending: Promise<unknown> = this.#send()
        .catch((error: unknown) => this.#failures.push(error))
        .finally(() => this.#underWay.delete(sending));
      this.#underWay.add(sending);
    }
  }

  async #send(): Promise<void> {
    const n = this.#sent++;
    const buyer = n % 2 === 0 ? undefined : this.#customers[n % this.#customers.length];
    const [kind, path, body] =
      buyer === undefined
        ? (['register', '/v1/customers', customer(n)] as const)
        : (['purchase', '/v1/purchases', purchase(buyer)] as const);
    const begun = performance.now();
    const sent = await persist(this.cluster, 'POST', path, { body, purpose: 'avtale' });
    this.done.push({ ...sent, kind, tookMs: performance.now() - begun });
    if (kind === 'register' && sent.fate === 'acknowledged') this.#customers.push(sent.reply!.body.customerId);
  }
}

/** A contact person with a company of their own, as the policy wants it. */
export const customer = (n: number) => ({
  ...{ relationship: 'customer', name: `Kunde Nummer${n}`, email: `kunde${n}@example.no`, phone: '90012345' },
  company: {
    ...{ name: `Firma ${n} AS`, legalForm: 'AS', organisationNumber: '923609016' },
    address: { street: 'Gata 1', postalCode: '0150', city: 'Oslo' },
  },
});

const purchase = (customerId: string) => ({
  ...{ customerId, purchasedAt: '2026-11-01', currency: 'NOK' },
  lines: [{ kind: 'product', itemType: 'fres', description: 'Fres', quantity: '1', unitPrice: '100.00' }],
});
