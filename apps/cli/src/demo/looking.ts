import { setTimeout as sleep } from 'node:timers/promises';
import { searchValues } from '#proof';
import type { Leaving } from './business.js';
import type { SampleCustomers } from './sample-customers.js';
import { valuesOf } from './sample-customers.js';
import type { Stage } from './stage.js';
import { keysOf, scopesIn, storedCard, storedEvents } from './stored.js';
import type { StoredEvent } from './stored.js';
import type { Story } from './story.js';

/** What lies underneath, read from the databases without any key. */
export interface Stored {
  readonly events: readonly StoredEvent[];
  readonly card: string;
  /** State of the key of each scope that seals these events. */
  readonly keys: ReadonlyMap<string, string>;
}

/** Shows the log, the vault's keys and the read model as they are stored. */
export const look = async (stage: Stage, story: Story, { customerId, streams }: Leaving): Promise<Stored> => {
  const events = await storedEvents(stage, streams);
  const keys = await keysOf(stage, scopesIn(events));
  const card = await storedCard(stage, customerId);
  const [first] = events;
  story.show('log: select … from event', ...(first ? [`${first.position} ${first.type} ${first.data}`] : []));
  story.say(`  and ${events.length - 1} more events of the customer, the purchase and the service case.`);
  story.show('vault: select … from scope', ...keys);
  story.show('read model: select … from customer_card', card);
  return { events, card, keys: new Map(keys.map(({ scope_id, state }) => [scope_id, state])) };
};

/** Searches every file of the home. Answers whether none holds a value of the person, and some hold the random id. */
export const lookIntoFiles = async (
  stage: Stage,
  story: Story,
  samples: SampleCustomers,
  { customerId }: Leaving,
): Promise<boolean> => {
  const values = valuesOf(samples.leaving);
  // The id is random and no secret, and stands in clear: that it is found shows that the search finds.
  const { files, bytes, filesWith } = await searchValues([stage.home.directory], [...values, customerId]);
  story.show(
    `every byte of ${files} files under ${stage.home.directory} (${Math.round(bytes / 1_000_000)} MB)`,
    ...[...filesWith].map(([text, count]) => `${JSON.stringify(text)}: in ${count} files`),
  );
  return values.every((value) => filesWith.get(value) === 0) && (filesWith.get(customerId) ?? 0) > 0;
};

const POLL_MS = 200;

/** Builds the customers' cards anew from the first event on; answers whether that ended well. */
export const rebuildCards = async ({ as: { operator } }: Stage): Promise<boolean> => {
  await operator.post('/v1/projections/{name}/rebuild', { path: { name: 'customer_card' } });
  for (;;) {
    const { items } = (await operator.get('/v1/projections')).body;
    const rebuild = items.find(({ name }) => name === 'customer_card')?.rebuild ?? null;
    if (rebuild === null || rebuild.state === 'failed') return rebuild === null;
    await sleep(POLL_MS);
  }
};
