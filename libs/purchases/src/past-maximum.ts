import { dayOf } from '#formats';
import type { Day } from '#kernel';
import type { Policy, ScopeFacts } from '#policy';
import { assess } from '#policy';
import type { ReadPurchase } from './purchase-input.js';
import type { Buyer } from './purchase.js';

/** What of a purchase can be stored or not. */
export type PurchasePart = 'purchase' | 'billing';

/**
 * The parts of a purchase that were already past their maximum when it came (an import of old records): they are not
 * stored, by the same rules by which the sweep would shred them tomorrow. The facts for the analysts are.
 */
export const partsPastMaximum = (
  policy: Policy,
  purchase: ReadPurchase,
  buyer: Buyer['kind'],
  today: Day,
): ReadonlySet<PurchasePart> => {
  const guarantees = purchase.lines.flatMap((line) => line.guaranteeUntil ?? []).sort();
  const guaranteeEnd = guarantees.at(-1);
  const support: ScopeFacts['triggers'] = {
    'taking-over': dayOf(purchase.takenOverAt ?? purchase.purchasedAt),
    ...(guaranteeEnd === undefined ? {} : { 'guarantee-end': guaranteeEnd }),
  };
  const owners: readonly ScopeFacts['owner'][] = buyer === 'company' ? ['company', 'subject'] : ['subject'];
  const expired = (category: PurchasePart, owner: ScopeFacts['owner'], triggers: ScopeFacts['triggers']) =>
    assess(
      policy,
      {
        category,
        owner,
        partition: '',
        buyerKind: buyer === 'company' ? 'business' : 'consumer',
        triggers,
        open: [],
        holds: [],
      },
      today,
    ).expired;
  const past = new Set<PurchasePart>();
  // One date for the buyer's and the contact person's part: what is forgotten of one would be an orphan with the other.
  if (owners.some((owner) => expired('purchase', owner, support))) past.add('purchase');
  if (purchase.invoice && expired('billing', owners[0]!, { 'fiscal-year-end': purchase.invoice.date }))
    past.add('billing');
  return past;
};
