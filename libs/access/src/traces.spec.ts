import type { ActorId, Opened, SubjectId } from '#kernel';
import { RandomIds, SystemClock, inContext, newId, subjectOwner, valueOf } from '#kernel';
import type { RecordedEvent } from '#ledger';
import { LedgerDouble } from '#testing';
import { Traces } from './traces.js';

class November extends SystemClock {
  // Already December in Oslo.
  override now = () => new Date('2026-11-30T23:30:00Z');
}
const [kari, ola] = [subjectOwner(newId<SubjectId>()), subjectOwner(newId<SubjectId>())];
const actor = newId<ActorId>();

describe('traces', () => {
  let ledger: LedgerDouble;
  const record = (...about: (typeof kari)[]) =>
    inContext({ actor, roles: ['service-desk'], purpose: 'kundehjelp', ids: new RandomIds() }, () =>
      new Traces(ledger, new November()).record({ about, route: '/v1/customers/:id', categories: ['contact'] }),
    );
  const written = () => ledger.read('trace-2026-12');
  const personOf = (event: RecordedEvent) => valueOf((event.data as unknown as { person: Opened<string> }).person);
  beforeEach(() => {
    ledger = new LedgerDouble();
  });

  it('say who read whose data, why and what, once for each person, in the stream of the month in Oslo', async () => {
    await record(kari, ola, kari);
    const events = await written();
    expect(events.map(personOf)).toEqual([kari.id, ola.id]);
    expect(events[0]).toMatchObject({
      metadata: { actor, purpose: 'kundehjelp' },
      data: { route: '/v1/customers/:id', categories: ['contact'], ownerKind: 'subject' },
      scopes: [{ category: 'trace', owner: kari, partition: '2026-12' }],
    });
  });
  it('seal the person, so that the trace ends with them', async () => {
    await record(kari);
    expect(JSON.stringify((await written()).map(({ metadata, stream }) => [metadata, stream]))).not.toContain(kari.id);
    ledger.shred(kari);
    expect((await written())[0]!.data).toMatchObject({ person: { state: 'erased' } });
  });
  it('stand without the person who is closed, and leave the others theirs', async () => {
    ledger.vault.fences.set(kari.id, new Set());
    await record(kari, ola);
    expect((await written()).map((event) => [personOf(event), event.data])).toEqual([
      [null, expect.objectContaining({ ownerKind: null, categories: ['contact'] })],
      [ola.id, expect.objectContaining({ ownerKind: 'subject' })],
    ]);
  });
  it('of a look-up that found nobody say that', async () => {
    await record();
    expect((await written()).map(personOf)).toEqual([null]);
  });
  it('fail with the vault, so that the read does', async () => {
    ledger.vault.away = true;
    await expect(record(kari)).rejects.toMatchObject({ code: 'vault-unavailable' });
  });
});
