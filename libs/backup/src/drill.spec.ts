import { fileURLToPath } from 'node:url';
import type { EventId, ScopeId } from '#kernel';
import { MakulerError, newId } from '#kernel';
import type { Envelope, OpenedEnvelope } from '#ledger';
import { EventStoreDouble } from '#testing';
import { openEverything } from './drill.js';
import { verifySet } from './set-directory.js';

const directory = fileURLToPath(new URL('../../../test/vectors/backup/1', import.meta.url));

/** A log in which the last part of each scope's id says what becomes of its blocks. */
describe('a drill', () => {
  const opening = (envelope: Envelope): OpenedEnvelope => ({
    fields: {},
    scopes: Object.keys(envelope.sealed).map((scopeId) => {
      const what = scopeId.split('/')[1] as 'live' | 'shredded' | 'lost' | 'scope-unknown' | 'vault-unavailable';
      if (what === 'scope-unknown' || what === 'vault-unavailable') throw new MakulerError(what);
      return { scopeId: scopeId as ScopeId, slot: 'own', category: 'contact', state: what };
    }),
  });
  const drilled = async (events: readonly (readonly string[])[]) => {
    const store = new EventStoreDouble();
    for (const [n, scopes] of events.entries())
      await store.append(`customer-${n}`, 'no-stream', [
        {
          id: newId<EventId>(),
          type: 'it.happened',
          data: { $sealed: Object.fromEntries(scopes.map((scope) => [scope, ''])) },
          metadata: { schemaVersion: 1 },
        },
      ]);
    const manifest = await verifySet(directory);
    const ledger = { open: async (envelopes: readonly Envelope[]) => envelopes.map(opening) };
    return openEverything({ store, ledger, directory, manifest, applied: 0 });
  };

  it('passes when every block opens and there are as many events as the set says', async () => {
    expect(await drilled([['a/live'], ['b/live', 'c/live'], []])).toMatchObject({
      ...{ events: 3, passed: true, blocks: { opened: 3, shredded: 0, lost: 0, failed: {} } },
    });
  });

  it('fails when an event is missing, a key is gone without a word, or a block does not open; the rest is counted', async () => {
    expect(await drilled([['a/live'], ['b/live']])).toMatchObject({ events: 2, passed: false });
    expect(await drilled([['a/live'], ['b/shredded', 'c/shredded'], ['b/shredded']])).toMatchObject({
      ...{ passed: false, keys: { shredded: 2, unexplained: 2 } },
    });
    expect(await drilled([['a/live'], ['b/scope-unknown', 'c/live'], ['d/live']])).toMatchObject({
      ...{ passed: false, blocks: { opened: 2, failed: { 'scope-unknown': 2 } } },
    });
  });

  it('takes an outage for no finding', async () => {
    await expect(drilled([['a/live'], ['b/vault-unavailable']])).rejects.toMatchObject({ code: 'vault-unavailable' });
  });
});
