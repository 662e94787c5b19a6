import type { Day } from '#kernel';
import type { Category } from '#events';
import type { AwaitedEvent, LegalBasis } from './manifest.js';
import type { Trigger } from './triggers.js';

/** Something that is still under way and makes data necessary: an open repair, an unpaid invoice, a running guarantee. */
export interface OpenMatter {
  readonly untilEvent: AwaitedEvent;
  /** When it began; reviews are counted from it, so that a plan computed again tomorrow is the same plan. */
  readonly since: Day;
  /** The day on which it ends by itself (a guarantee's last day). From the day after, it is no longer open. */
  readonly until?: Day;
  /** When to look at it again; without it, the policy's `erasure.reviewEvery` counted from `since`. */
  readonly reviewOn?: Day;
}

/** A legal hold that covers the scope. */
export interface HoldFact {
  readonly holdId: string;
  readonly reviewOn?: Day;
}

/**
 * All that the rules need to know of one scope, without a personal value in it. What is not known is left out:
 * an unknown condition matches every rule, so that the shortest maximum and the longest minimum among them hold.
 */
export interface ScopeFacts {
  readonly category: Category;
  readonly owner: 'subject' | 'company';
  readonly partition: string;
  readonly relationship?: 'lead' | 'customer' | 'ended';
  readonly buyerKind?: 'consumer' | 'business';
  /** The day of each trigger that has come (`TRIGGERS` says which day). Of several, the last. */
  readonly triggers: Readonly<Partial<Record<Trigger, Day>>>;
  /** Give an owner's matters with each of their scopes: the rule says which of them it waits for. */
  readonly open: readonly OpenMatter[];
  readonly holds: readonly HoldFact[];
  /** GDPR art. 18. */
  readonly restricted?: boolean;
  /** The owner was erased, and this scope is what the plan retained or deferred. */
  readonly ownerErased?: boolean;
}

/** State of a scope that is not shredded (`product.md`, Vocabulary). */
export type ScopeState = 'active' | 'restricted' | 'retained' | 'deferred' | 'held' | 'due';

export interface Assessment {
  readonly state: ScopeState;
  /** Id of the retention rule that gives the date. */
  readonly rule: string;
  readonly purpose: string;
  readonly basis: LegalBasis;
  readonly law?: string;
  /** The last day kept: shredded by the sweep of the day after. `null` while the trigger has not come or something is awaited. */
  readonly keepUntil: Day | null;
  /** The last day for which a law makes us keep it; `null` where none does. */
  readonly minimumUntil: Day | null;
  readonly minimumLaw?: string;
  /** The last day on which it may be read at all; `null` while no period runs. */
  readonly neverBeyond: Day | null;
  /** Past `neverBeyond`: reads as withheld (`expired`) at once, whether or not the sweep has run, held or not. */
  readonly expired: boolean;
  /** One sentence for people, without a personal value. */
  readonly why: string;
}

/** What erasing the owner does to one scope. */
export interface PlanItem {
  readonly action: 'shred' | 'retain' | 'defer' | 'hold';
  /** `retain`: the last day kept. `defer`: the day on which the awaited event comes by itself, where one is known. */
  readonly until?: Day;
  readonly untilEvent?: AwaitedEvent;
  readonly reviewOn?: Day;
  readonly law?: string;
  readonly why: string;
}
