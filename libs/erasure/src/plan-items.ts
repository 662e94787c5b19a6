import type { Opened } from '#kernel';
import { Personal } from '#kernel';
import type { Ledger, RecordedEvent } from '#ledger';
import { isEvent } from '#ledger';
import type { Plan } from './erasure-case.js';
import { erasureStream } from './erasure-case.js';
import type { PlannedScope } from './erasure.events.js';
import { ErasureItemsListed } from './erasure.events.js';
import type { Met } from './parts.js';
import { meet, whole } from './parts.js';

type Items = Opened<readonly PlannedScope[]>;

/** All items of a plan; erased once the erasure has been executed. Reads the owner's whole stream where they stand in parts. */
export const itemsOf = async (ledger: Ledger, plan: Plan): Promise<Items> =>
  plan.parts.parts === 0 ? plan.items : itemsAmong(await ledger.read(erasureStream(plan.owner)), plan);

/** The same, from a stream that was read already. Throws when a part of the plan is not in it. */
export const itemsAmong = (
  events: readonly RecordedEvent[],
  { parts, items }: Pick<Plan, 'parts' | 'items'>,
): Items => {
  if (items.state !== 'value') return items;
  let met: Met<Items> = new Map();
  for (const event of events)
    if (isEvent(event, ErasureItemsListed)) met = meet(met, event.data.list, event.data.items);
  const all: PlannedScope[] = [];
  for (const some of [...whole(met, parts), items]) {
    // One key seals the plan and its parts: what has become of one has become of all.
    if (some.state !== 'value') return some;
    all.push(...some.reveal());
  }
  return new Personal(all);
};
