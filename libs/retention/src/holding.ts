import type { Category } from '#events';
import { CATEGORIES } from '#events';
import type { Day, ScopeId } from '#kernel';
import type { OpenMatter, ScopeFacts, Trigger } from '#policy';

/**
 * What we hold under one key: facts only, no value. Dates and state are computed when it is read (`assess`), so that a
 * rebuild gives the same rows on any day and a changed policy needs none.
 */
export interface Holding {
  readonly scope_id: ScopeId;
  readonly owner_kind: 'subject' | 'company';
  readonly owner_id: string;
  readonly category: Category;
  readonly partition: string;
  /** Day of the first and of the last event under this key. */
  readonly since: Day;
  readonly last_on: Day;
  readonly buyer_kind: 'consumer' | 'business' | null;
  /** The triggers that came, with their days. */
  readonly triggers: Readonly<Partial<Record<Trigger, Day>>>;
  /** The last day on which this scope shows the owner doing something with us. */
  readonly activity_on: Day | null;
  /** The purchase that a service case is about. */
  readonly concerns: string | null;
}

/** What is known of an owner beside their scopes: words and days that stand in clear in the owner's own stream. */
export interface HoldingOwner {
  readonly owner_id: string;
  readonly owner_kind: 'subject' | 'company';
  readonly relationship: 'lead' | 'customer' | 'ended' | null;
  /** The day on which the owner became known to us. */
  readonly registered_on: Day | null;
  readonly contract_end: Day | null;
  readonly erased_on: Day | null;
  /** A shred order for what expired that was begun and is not recorded as done. */
  readonly expiry_order: string | null;
}

/** An owner with all that they still have. */
export interface OwnerHoldings {
  readonly owner: HoldingOwner;
  readonly holdings: readonly Holding[];
}

interface Matter extends OpenMatter {
  readonly partition: string;
  readonly concerns: string | null;
}

/** What is still under way: a case that was not closed, a guarantee that runs. */
const mattersOf = (holdings: readonly Holding[]): readonly Matter[] =>
  holdings.flatMap(({ category, partition, concerns, since, triggers }): Matter[] => {
    if (category === 'service' && triggers['case-closed'] === undefined)
      return [{ untilEvent: 'case-closed', since, partition, concerns }];
    const until = triggers['guarantee-end'];
    return category === 'purchase' && until !== undefined
      ? [{ untilEvent: 'guarantee-end', since, until, partition, concerns }]
      : [];
  });

/** The revision of a card is the whole person's, though it has a key of its own. */
const CARD: ReadonlySet<Category> = new Set(['contact', 'invoice-contact']);

/** A key for one purchase or case waits for the matters of that purchase or case; a key for the whole person, for all. */
const concernsScope = (matter: Matter, { category, partition }: Pick<Holding, 'category' | 'partition'>): boolean =>
  CATEGORIES[category] === 'none' ||
  CARD.has(category) ||
  matter.partition === partition ||
  matter.concerns === partition;

/** A company has no relationship of its own: we know it because a customer of ours is its contact. */
const relationshipOf = ({ owner_kind, relationship }: HoldingOwner): Pick<ScopeFacts, 'relationship'> => {
  if (relationship !== null) return { relationship };
  return owner_kind === 'company' ? { relationship: 'customer' } : {};
};

const isSuperseded = ({ triggers }: Holding): boolean => triggers['value-superseded'] !== undefined;

const latest = (days: readonly (Day | null | undefined)[]): Day | undefined =>
  days.reduce<Day | undefined>((last, day) => (day && (last === undefined || day > last) ? day : last), undefined);

/** Triggers that come once per owner: they lie in other rows than the one that waits for them. */
const ownerTriggers = ({ owner, holdings }: OwnerHoldings): Partial<Record<Trigger, Day>> => {
  const registered = owner.registered_on ?? undefined;
  // Being registered counts as activity only while there was no other: an import registers customers of long ago today.
  const activity = latest(holdings.map((holding) => holding.activity_on)) ?? registered;
  const contact = latest([...holdings.map((holding) => holding.triggers['last-contact']), activity]);
  return {
    ...(activity === undefined ? {} : { 'last-activity': activity }),
    ...(contact === undefined ? {} : { 'last-contact': contact }),
    ...(owner.contract_end === null ? {} : { 'contract-end': owner.contract_end }),
  };
};

/**
 * The facts that the retention rules need, for each scope of an owner. `all` must hold every scope of the owner: an open
 * case in one row keeps what stands in another.
 */
export const scopeFacts = (all: OwnerHoldings): readonly { holding: Holding; facts: ScopeFacts }[] => {
  const matters = mattersOf(all.holdings);
  const shared = ownerTriggers(all);
  return all.holdings.map((holding) => ({
    holding,
    facts: {
      // A replaced revision has the rule of what was rectified, whatever it is a revision of.
      category: isSuperseded(holding) ? 'superseded' : holding.category,
      owner: holding.owner_kind,
      partition: holding.partition,
      ...relationshipOf(all.owner),
      ...(holding.buyer_kind === null ? {} : { buyerKind: holding.buyer_kind }),
      triggers: { ...shared, ...holding.triggers },
      open: isSuperseded(holding) ? [] : matters.filter((matter) => concernsScope(matter, holding)),
      holds: [],
      ownerErased: all.owner.erased_on !== null,
    },
  }));
};
