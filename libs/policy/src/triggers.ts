import type { Category } from '#events';

/** What starts a period. */
export interface TriggerKind {
  /** How often it comes: once per owner, or once per scope of the categories named. */
  readonly comes: 'per owner' | readonly Category[];
  /** What its day is, for messages and for whoever gathers the facts. */
  readonly day: string;
}

/**
 * Everything that a retention rule can count from. A trigger that comes more often than a category has keys would give
 * one key two dates, so `comes` is checked against the partition of the category when the manifest loads.
 *
 * `fiscal-year-end` and `month-end` are given as the day itself (of the voucher, of the reading): the end of its fiscal
 * year or month is reckoned here, from the policy's calendar.
 */
export const TRIGGERS = {
  'last-contact': { comes: 'per owner', day: 'the day of the last contact with the lead' },
  'last-activity': { comes: 'per owner', day: 'the day of the last purchase, case, payment or contact' },
  'contract-end': { comes: 'per owner', day: 'the day on which the customer relationship was ended' },
  'profile-consent': { comes: 'per owner', day: 'the day on which the consent to a profile was given or renewed' },
  'fiscal-year-end': { comes: ['billing'], day: "the voucher's day; counted from the end of its fiscal year" },
  'taking-over': {
    comes: ['purchase'],
    day: 'the day on which the goods were taken over, else the day of the purchase',
  },
  'guarantee-end': { comes: ['purchase'], day: 'the last day of the longest guarantee on the purchase' },
  'case-closed': { comes: ['service'], day: 'the day on which the case was last closed; absent while it is open' },
  'case-activity': { comes: ['service'], day: 'the day of the last entry in the case' },
  'consent-given': { comes: ['consent'], day: 'the day on which the consent was given or renewed' },
  'consent-withdrawn': { comes: ['consent'], day: 'the day on which the consent was withdrawn' },
  'request-opened': { comes: ['request'], day: 'the day on which the request came in' },
  'request-closed': { comes: ['request'], day: 'the day on which the request was closed' },
  'value-superseded': { comes: ['superseded'], day: 'the day on which the value was rectified' },
  'month-end': { comes: ['trace'], day: 'a day of the month of the reading; counted from the end of that month' },
} as const satisfies Record<string, TriggerKind>;

export type Trigger = keyof typeof TRIGGERS;
