import { CustomerRegistered } from '#customers';
import type { ActorId, CustomerId, ScopeId } from '#kernel';
import { inContext, newId, subjectOwner, systemContext } from '#kernel';
import { LedgerDouble } from '#testing';
import type { Vault } from '#vault';
import { Lookup } from './lookup.js';

const PATIENCE_MS = 10_000;

describe('the index of persons', () => {
  let ledger: LedgerDouble;
  let lookup: Lookup;
  /** The vault's client says that it dropped its keys. */
  const drop = (scopes: ReadonlySet<ScopeId> | 'all') => listeners.forEach((listener) => listener(scopes));
  let listeners: (typeof drop)[];

  beforeEach(() => {
    ledger = new LedgerDouble();
    listeners = [];
    const vault = { onDropped: (listener: typeof drop) => listeners.push(listener) } as unknown as Vault;
    lookup = new Lookup({ ledger, vault });
  });
  afterEach(() => lookup.close());

  const register = async (name: string, key = newId()): Promise<CustomerId> => {
    const id = newId<CustomerId>();
    const card = { name, phone: null, email: null, companyId: null, address: null };
    const draft = CustomerRegistered.of(
      {
        ...{ customerId: id, relationship: 'customer', sector: 'private', region: null, ...card },
        sourceKey: { source: 'shop', key },
      },
      { partitions: { contact: newId() } },
    );
    await inContext(systemContext(newId<ActorId>(), 'avtale'), () =>
      ledger.append({ stream: `customer-${id}`, expected: 'no-stream', drafts: [draft] }),
    );
    return id;
  };
  const caughtUp = async () => lookup.waitFor(await ledger.head(), PATIENCE_MS);

  it('finds who stands in the log, newest first, and who comes later', async () => {
    const first = await register('Kari Nordmann');
    lookup.start();
    await caughtUp();
    const second = await register('Kari Vik');
    await caughtUp();
    expect(lookup.find('name', 'kari')).toEqual([second, first]);
    expect(lookup.find('name', 'kari nord')).toEqual([first]);
    expect(lookup.find('name', 'ola')).toEqual([]);
  });

  it('says that it is warming until it has read what was there, and never finds nobody instead', async () => {
    const id = await register('Kari Nordmann');
    ledger.fault = 'vault-unavailable';
    lookup.start();
    await expect(lookup.waitFor(1n, 50)).rejects.toMatchObject({ code: 'lookup-warming' });
    expect(() => lookup.find('name', 'kari')).toThrow(expect.objectContaining({ code: 'lookup-warming' }));
    ledger.fault = undefined;
    await caughtUp();
    expect(lookup.find('name', 'kari')).toEqual([id]);
  });

  it('is thrown away with the keys it was read with, and a forgotten person is not in the next one', async () => {
    const [kari, ola] = [await register('Kari Nordmann'), await register('Ola Nordmann')];
    lookup.start();
    await caughtUp();
    ledger.shred(subjectOwner(kari));
    drop('all');
    await new Promise(setImmediate);
    await caughtUp();
    expect(lookup.find('name', 'nordmann')).toEqual([ola]);
  });

  it('settles where the log is unreadable, goes on saying that it is warming, and is built once that is mended', async () => {
    const id = await register('Kari Nordmann');
    ledger.fault = 'key-damaged';
    lookup.start();
    await lookup.settled();
    expect(() => lookup.find('name', 'kari')).toThrow(expect.objectContaining({ code: 'lookup-warming' }));
    ledger.fault = undefined;
    await caughtUp();
    expect(lookup.find('name', 'kari')).toEqual([id]);
  });
});
