/**
 * Kinds of personal data with one retention rule each (`product.md`, Vocabulary), and what the partition of their scopes
 * follows from: `none` one scope per owner; `stream` one per purchase, case, voucher or consent, whose id is the id in the
 * stream's name; `given` the writer says (a value revision, an erasure, a month of traces).
 * The policy's retention rules are checked against this at start: one key can't carry two dates.
 */
export const CATEGORIES = {
  contact: 'given',
  /** A company's invoice e-mail: it may name another person, so it can be forgotten without the company's card. */
  'invoice-contact': 'given',
  relation: 'none',
  billing: 'stream',
  purchase: 'stream',
  service: 'stream',
  profile: 'none',
  consent: 'stream',
  request: 'given',
  superseded: 'given',
  trace: 'given',
} as const satisfies Record<string, 'none' | 'stream' | 'given'>;

export type Category = keyof typeof CATEGORIES;
