import type { Category, DataMapEntry } from '#events';
import type { LegalBasis, RetentionRule } from './manifest.js';
import type { Policy } from './policy.js';

/** A read model, as far as the data map names it. */
export interface StoredIn {
  readonly table: string;
  /** The event types whose sealed blocks or plain fields it keeps. */
  readonly events: readonly string[];
}

/** One row of `GET /v1/data-map`: a field of an event, why we have it, for how long, and where it lies. */
export interface DataMapRow {
  readonly event: string;
  readonly field: string;
  readonly kind: DataMapEntry['kind'];
  /** `false`: a fact about the business; `why` says why it identifies nobody. */
  readonly personal: boolean;
  readonly category?: string;
  /** Whose key seals it: the stream's own person or company (`own`), or another owner slot of the event. */
  readonly owner?: string;
  readonly provenance?: string;
  readonly purposes: readonly string[];
  readonly basis?: LegalBasis;
  readonly retention: readonly RetentionLine[];
  readonly storedIn: readonly string[];
  readonly why?: string;
}

export interface RetentionLine {
  readonly rule: string;
  readonly purpose: string;
  readonly basis: LegalBasis;
  readonly trigger: string;
  readonly minimum: string;
  readonly maximum: string;
  readonly law?: string;
  /** The number is a default that the controller has still to confirm. */
  readonly controllersChoice: boolean;
}

/**
 * The data map: what the events declare (`dataMapOf`) beside what the policy says about it. Throws when an event seals
 * something under a category that the policy doesn't know: nothing is stored without a purpose and an end.
 */
export const renderDataMap = (
  policy: Policy,
  entries: readonly DataMapEntry[],
  readModels: readonly StoredIn[] = [],
): readonly DataMapRow[] =>
  entries.map((entry) => ({
    event: entry.event,
    field: entry.field,
    kind: entry.kind,
    personal: entry.kind !== 'plain',
    ...(entry.category === undefined ? {} : { category: entry.category }),
    ...(entry.owner === undefined ? {} : { owner: entry.owner }),
    ...(entry.source === undefined ? {} : { provenance: entry.source }),
    ...grounds(policy, entry),
    storedIn: [
      entry.kind === 'plain' || entry.kind === 'subject'
        ? 'event log, in clear'
        : 'event log, sealed under the key of its owner',
      ...readModels.filter(({ events }) => events.includes(entry.event)).map(({ table }) => `read model ${table}`),
    ],
    ...(entry.why === undefined ? {} : { why: entry.why }),
  }));

const grounds = (
  policy: Policy,
  entry: DataMapEntry,
): Pick<DataMapRow, 'purposes' | 'retention'> & { basis?: LegalBasis } => {
  if (entry.category === undefined) return { purposes: [], retention: [] };
  const category = policy.category(entry.category as Category);
  if (!category) throw new Error(`${entry.event}.${entry.field}: the policy knows no category ${entry.category}`);
  return {
    purposes: category.purposes,
    basis: category.basis,
    retention: policy.retention(entry.category as Category).map(lineOf),
  };
};

const lineOf = (rule: RetentionRule): RetentionLine => ({
  rule: rule.id,
  purpose: rule.purpose,
  basis: rule.basis,
  trigger: rule.trigger,
  minimum: rule.minimum,
  maximum: rule.maximum,
  ...(rule.law === undefined ? {} : { law: rule.law }),
  controllersChoice: rule.controllersChoice ?? false,
});
