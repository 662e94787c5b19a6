import { randomUUID } from 'node:crypto';
import { ActivityNoted, CustomerRegistered } from '#customers';
import type { Draft } from '#events';
import type { ActorId, CustomerId, PurchaseId, ServiceCaseId } from '#kernel';
import { inContext, newId, subjectOwner, systemContext } from '#kernel';
import type { Ledger } from '#ledger';
import { PurchaseRecorded } from '#purchases';
import { ServiceCaseAdvanced, ServiceCaseOpened, ServiceNoteAdded } from '#service';
import type { Report } from './bench.js';

/** In flight when data is made in bulk: enough for the event node and the vault to commit what arrives together. */
const LANES = 64;
/** Events in one append at most. */
const APPEND = 250;
const DAY = '2026-03-04';
const FIRST = ['Kari', 'Ola', 'Nora', 'Jakob', 'Emma', 'Noah', 'Ella', 'Oskar', 'Ingrid', 'Lars', 'Åse', 'Bjørn'];

/** Number `n` of as many people as one likes, each with a name, e-mail and telephone number of their own. */
export const personOf = (n: number) => ({
  name: `${FIRST[n % FIRST.length]!} ${lastName(n)}`,
  email: `person${n}@example.no`,
  phone: `+47${90_000_000 + n}`,
});

/** Five letters, most people's different: `Baban`, `Cabor`, … */
const lastName = (n: number): string => {
  const [consonants, vowels] = ['bcdfghjklmnprst', 'aeiou'];
  let name = '';
  for (let rest = n, at = 0; at < 5; at++) {
    const letters = at % 2 === 0 ? consonants : vowels;
    name += letters[rest % letters.length]!;
    rest = Math.floor(rest / letters.length);
  }
  return name[0]!.toUpperCase() + name.slice(1);
};

/** Appends to a stream as the handlers' decisions would, in as few appends as possible, past everything that checks input. */
export const write = (ledger: Ledger, stream: string, drafts: readonly Draft<any>[]): Promise<void> =>
  inContext(systemContext(newId<ActorId>(), 'avtale'), async () => {
    for (let from = 0; from < drafts.length; from += APPEND)
      await ledger.append({ stream, expected: 'any', drafts: drafts.slice(from, from + APPEND) });
  });

/** Person `n` registers. */
export const registered = (customerId: CustomerId, n: number): Draft<any> =>
  CustomerRegistered.of(
    {
      ...{ customerId, relationship: 'customer', sector: 'private', region: '57' },
      ...{ ...personOf(n), companyId: null, address: null, sourceKey: { source: 'bench', key: String(n) } },
    },
    { partitions: { contact: randomUUID() } },
  );

export const activity = (customerId: CustomerId): Draft<any> =>
  ActivityNoted.of({ customerId, day: DAY, kind: 'purchase', recordId: randomUUID() });

export const bought = (customerId: CustomerId): Draft<any> =>
  PurchaseRecorded.of(
    {
      ...{ day: DAY, sector: 'private', region: '57', firstPurchase: false, currency: 'NOK' },
      lines: [{ kind: 'product', itemType: 'dreiebenk', quantity: '1', amount: '125.50' }],
      ...{ buyerId: customerId, purchasedAt: DAY, takenOverAt: null, contactId: null, contactTerms: null },
      items: [{ description: 'Dreiebenk 120', serialNumber: null, guaranteeUntil: null }],
      sourceKey: null,
    },
    { owners: { buyer: subjectOwner(customerId) } },
  );

export const caseOpened = (customerId: CustomerId): Draft<any> =>
  ServiceCaseOpened.of(
    {
      ...{ customerId, kind: 'repair', itemType: 'dreiebenk', day: DAY, purchaseId: null },
      ...{ serialNumber: null, description: 'The spindle wobbles.', sourceKey: null },
    },
    { owners: { customer: subjectOwner(customerId) } },
  );
export const noteAdded = (customerId: CustomerId): Draft<any> =>
  ServiceNoteAdded.of({ text: 'Called, no answer.' }, { owners: { customer: subjectOwner(customerId) } });
export const caseClosed = (): Draft<any> => ServiceCaseAdvanced.of({ status: 'closed', day: DAY });

export const purchaseStreamOf = () => `purchase-${newId<PurchaseId>()}`;
export const caseStreamOf = () => `service-${newId<ServiceCaseId>()}`;

/** What one customer of a shop leaves behind: ten events in six streams, under seven keys. */
export const writeCustomer = async (ledger: Ledger, n: number): Promise<CustomerId> => {
  const id = newId<CustomerId>();
  await write(ledger, `customer-${id}`, [registered(id, n), activity(id), activity(id)]);
  for (let purchase = 0; purchase < 4; purchase++) await write(ledger, purchaseStreamOf(), [bought(id)]);
  await write(ledger, caseStreamOf(), [caseOpened(id), noteAdded(id), caseClosed()]);
  return id;
};

/** Does something `count` times, many at once, and says how far it is. */
export const inBulk = async (
  report: Report,
  what: string,
  count: number,
  work: (index: number) => Promise<unknown>,
): Promise<void> => {
  let [next, done] = [0, 0];
  const lane = async () => {
    while (next < count) {
      await work(next++);
      report.progress(what, ++done / count);
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
};
