import type { Category } from '#events';
import { event, plain, subject } from '#events';
import type { CompanyId, SubjectId } from '#kernel';

/** How many scopes of each category. */
export type CategoryCounts = Readonly<Partial<Record<Category, number>>>;

const KIND = 'Says which kind of owner the stream belongs to; the stream name says it too.';
const COUNTS = 'Small counts for each category, without any value.';
const SWEEP = 'A random id of a sweep over everybody.';

/**
 * Keys of this owner are about to be destroyed because their time is over; `scope.expired` follows when they are. Reserves
 * the id of the shred order, so that a crash in between finds the same order again. In the owner's own stream.
 */
export const ExpiryOrdered = event('retention.expiry-ordered', 1, {
  ownerId: subject<SubjectId | CompanyId>(),
  ownerKind: plain<'subject' | 'company'>(KIND),
  orderId: plain<string>('A random id that occurs in this stream and in the shred journal only.'),
  categories: plain<CategoryCounts>(COUNTS),
});

/** The order was never carried out, and by now nothing of it is due any more: a hold came, or a date moved. */
export const ExpiryDropped = event('retention.expiry-dropped', 1, {
  ownerId: subject<SubjectId | CompanyId>(),
  ownerKind: plain<'subject' | 'company'>(KIND),
  orderId: plain<string>('A random id that occurs in this stream only.'),
});

/** A sweep that is neither large nor caused by a changed policy: it is carried out by itself. */
export const SweepRequested = event('sweep.requested', 1, {
  sweepId: plain<string>(SWEEP),
  due: plain<CategoryCounts>(COUNTS),
});

/** A sweep that waits for an approval. `large`: more than the policy lets pass unseen; `policy-changed`: the manifest is another one. */
export const SweepPlanned = event('sweep.planned', 1, {
  sweepId: plain<string>(SWEEP),
  due: plain<CategoryCounts>(COUNTS),
  reason: plain<'large' | 'policy-changed'>('One of two words.'),
});

/** Another person looked at the counts and agreed. */
export const SweepApproved = event('sweep.approved', 1, { sweepId: plain<string>(SWEEP) });

/** A sweep has gone through everybody. */
export const SweepFinished = event('sweep.finished', 1, {
  sweepId: plain<string>(SWEEP),
  shredded: plain<number>('A count over all persons.'),
});
