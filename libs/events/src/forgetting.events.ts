import type { CompanyId, SubjectId } from '#kernel';
import type { Category } from './categories.js';
import { event, personal, plain, subject } from './event.js';

const OWNER_KIND = 'Says which kind of owner the stream belongs to; the stream name says it too.';

/**
 * A person (or a company that is treated as one) was forgotten: the keys of all categories that nothing retains are
 * destroyed. Stands in the owner's own stream, names no scope and no partition, and is appended after the shredding, so
 * that whoever reads the log up to here and then asks the vault is told the truth.
 */
export const SubjectErased = event('subject.erased', 1, {
  ownerId: subject<SubjectId | CompanyId>(),
  ownerKind: plain<'subject' | 'company'>(OWNER_KIND),
  categories: plain<Readonly<Partial<Record<Category, number>>>>(
    'How many keys of which kind were destroyed: small counts without any value.',
  ),
  retained: plain<readonly Category[]>('Kinds of data that a law or a hold keeps: no value and no date.'),
});

/**
 * Keys of one owner and category reached the end of their retention and were destroyed. One event per owner, category and
 * sweep. `partitions` says which purchases, cases or vouchers; it is null when the owner is closed, because nothing new
 * is sealed for them.
 */
export const ScopeExpired = event('scope.expired', 1, {
  ownerId: subject<SubjectId | CompanyId>(),
  ownerKind: plain<'subject' | 'company'>(OWNER_KIND),
  category: plain<Category>('A kind of data, the same for everybody; no value.'),
  count: plain<number>('How many keys were destroyed: a small count without any value.'),
  partitions: personal<readonly string[] | null>('request', { source: 'derived' }),
});
