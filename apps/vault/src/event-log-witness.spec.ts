import { LogCheckpointed } from '#chain';
import { ScopeExpired, SubjectErased } from '#events';
import type { EventId } from '#kernel';
import { newId } from '#kernel';
import { EventStoreDouble } from '#testing';
import type { LogTestimony } from '#vault/keeper';
import { EventLogWitness } from './event-log-witness.js';

describe('the log as a witness', () => {
  let store: EventStoreDouble;
  let witness: EventLogWitness;
  beforeEach(() => {
    store = new EventStoreDouble();
    witness = new EventLogWitness(store);
  });

  const append = (stream: string, type: string, data: object = {}, vault?: object) =>
    store.append(stream, 'any', [
      { id: newId<EventId>(), type, data: { ...data }, metadata: vault === undefined ? {} : { vault } },
    ]);
  const minted = (incarnation: string, mintSequence?: number) =>
    append(
      `customer-${newId()}`,
      'customer.registered',
      {},
      { incarnation, ...(mintSequence ? { mintSequence } : {}) },
    );
  const checkpoint = (sequence: number, over: object = {}) =>
    append('vault-ledger', LogCheckpointed.type, {
      ...{ sequence, link: `link ${sequence}`, previousLink: '', position: String(sequence), at: '', signature: '' },
      ...{ installation: 'home', incarnation: 'first', mintSequence: sequence, custodianNumber: 1, epoch: 1 },
      ...over,
    });
  const erased = (ownerId: string) =>
    append(`customer-${ownerId}`, SubjectErased.type, { ownerId, ownerKind: 'subject', categories: { contact: 2 } });
  const sequencesOf = ({ checkpoints }: LogTestimony) => checkpoints.map(({ sequence }) => sequence);

  it('says nothing of an empty log', async () => {
    const empty = { checkpoints: [], headSequence: 0, incarnations: new Map(), forgot: [] };
    expect(await witness.testify()).toEqual(empty);
  });

  it('counts a log without checkpoints from its beginning, over as many pages as it has', async () => {
    for (let n = 1; n <= 2_500; n++) await minted('first', n);
    expect(await witness.testify()).toMatchObject({ headSequence: 2_500, incarnations: new Map([['first', 2_500]]) });
  });

  it('goes back to the second-last checkpoint, and no further', async () => {
    await minted('first', 90);
    await erased('early');
    await checkpoint(2);
    await minted('second', 7);
    await minted('second');
    await append('customer-late', ScopeExpired.type, {
      ...{ ownerId: 'late', ownerKind: 'subject', category: 'service', count: 3 },
    });
    await checkpoint(6);
    await minted('second', 5);
    await erased('late');
    const said = await witness.testify();
    expect(sequencesOf(said)).toEqual([6, 2]);
    expect(said.checkpoints[0]).toMatchObject({ link: 'link 6', custodianNumber: 1, mintSequence: 6 });
    expect(said.incarnations).toEqual(new Map([['second', 7]]));
    expect(said.forgot).toEqual([
      { owner: { kind: 'subject', id: 'late' }, kind: 'erased', keys: { contact: 2 }, sequence: 9 },
      { owner: { kind: 'subject', id: 'late' }, kind: 'expired', keys: { service: 3 }, sequence: 6 },
    ]);
  });

  it('goes on to the checkpoint that it is asked for', async () => {
    for (const sequence of [1, 3, 5, 7]) {
      await minted('first', sequence);
      await checkpoint(sequence);
    }
    expect(sequencesOf(await witness.testify(3))).toEqual([7, 5, 3, 1]);
    expect(sequencesOf(await witness.testify(4))).toEqual([7, 5, 3]);
    expect(sequencesOf(await witness.testify(9))).toEqual([7, 5]);
    expect(sequencesOf(await witness.testify(0))).toEqual([7, 5, 3, 1]);
  });

  it('counts the end of the log from the event that the last checkpoint covers, and in a moved log never too many', async () => {
    await minted('first', 1);
    await minted('first', 2);
    // Appended while the checkpoint of the first two was being made.
    await minted('first', 3);
    await checkpoint(2);
    await minted('first', 4);
    expect(await witness.testify()).toMatchObject({ headSequence: 5 });
    const moved = new EventStoreDouble();
    for (const { stream, id, type, metadata, data } of await store.forwards({ maxCount: 100 })) {
      const there = type === LogCheckpointed.type ? { ...data, position: '774411' } : data;
      await moved.append(stream, 'any', [{ id, type, metadata, data: there }]);
    }
    expect(await new EventLogWitness(moved).testify()).toMatchObject({ headSequence: 4 });
  });

  it('names every scope of the log with the kind of its stream, and nothing else of it', async () => {
    await append('purchase-1', 'purchase.recorded', { $sealed: { a: 'block', b: 'block' } });
    await minted('first', 1);
    await append('customer-1', 'customer.rectified', { $sealed: { c: 'block' } });
    const found = [];
    for await (const batch of witness.sealedScopes()) found.push(...batch);
    expect(found).toEqual([
      { scopeId: 'c', stream: 'customer' },
      { scopeId: 'a', stream: 'purchase' },
      { scopeId: 'b', stream: 'purchase' },
    ]);
  });
});
