import type { EventId } from '#kernel';
import { newId } from '#kernel';
import type { StreamName } from '#ledger';
import { EventStoreDouble } from '#testing';
import type { ArchivedEvent } from './log-part.js';
import { restoreLog } from './restore-log.js';

/** Takes no more at once than servers do by default: data, metadata and twice the type (eventstore protocol). */
class StrictStore extends EventStoreDouble {
  largest = 0;

  override append(...given: Parameters<EventStoreDouble['append']>): ReturnType<EventStoreDouble['append']> {
    const bytes = given[2].reduce((sum, e) => sum + JSON.stringify([e.data, e.metadata]).length + 2 * e.type.length, 0);
    this.largest = Math.max(this.largest, bytes);
    return bytes > 1_048_576 ? Promise.reject(new Error('too large')) : super.append(...given);
  }
}

describe('a log that is restored', () => {
  it('goes in by appends that a server takes, however large its events are', async () => {
    const stream = `service-${newId()}` as StreamName;
    const events = Array.from({ length: 100 }, (_, n) => ({
      ...{ id: newId<EventId>(), stream, revision: BigInt(n), position: BigInt(n) },
      ...{ type: 'note', data: { $sealed: 'x'.repeat(n === 50 ? 900_000 : 30_000) }, metadata: {} },
    })) as readonly ArchivedEvent[];
    const store = new StrictStore();
    const batches = async function* () {
      yield events;
    };
    await expect(restoreLog(store, batches())).resolves.toEqual({ appended: 100, present: 0 });
    expect((await store.read(stream)).map(({ id }) => id)).toEqual(events.map(({ id }) => id));
    expect(store.largest).toBeGreaterThan(400_000);
  });
});
