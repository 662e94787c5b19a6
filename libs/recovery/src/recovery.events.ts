import { event, plain } from '#events';
import type { Doubt } from '#vault/operations';

const LOSS = 'A random id of a loss over everybody.';
const SCOPES = 'Counts over all persons for each kind of stream.';
const MISSING = 'A number of an event, counted from the beginning of the log; it says nothing about a person.';

const DOUBT =
  'What two persons take upon themselves, of the system as a whole: possible-tampering or older-custodian; it says nothing about a person.';

/** Keys or events are gone, and no copy that is here has them. Nothing was changed yet. */
export const LossesFound = event('vault.losses-found', 1, {
  lossId: plain<string>(LOSS),
  hash: plain<string>('A hash of random ids that stand in the log anyway.'),
  scopes: plain<Readonly<Record<string, number>>>(SCOPES),
  missingFrom: plain<number | null>(MISSING),
  missingTo: plain<number | null>(MISSING),
  doubt: plain<Doubt | null>(DOUBT),
});

/** Another person looked at the counts and agreed that they are lost. */
export const LossesApproved = event('vault.losses-approved', 1, { lossId: plain<string>(LOSS) });

/**
 * From here on those keys read as lost, never as erased, and the vault lives another life. With `possible-tampering`, what
 * was witnessed of the events named as missing counts no more (`verify-log`).
 */
export const LossesAccepted = event('vault.losses-accepted', 1, {
  lossId: plain<string>(LOSS),
  scopes: plain<Readonly<Record<string, number>>>(SCOPES),
  missingFrom: plain<number | null>(MISSING),
  missingTo: plain<number | null>(MISSING),
  doubt: plain<Doubt | null>(DOUBT),
});

/** A start of the vault found shreds that its database did not have, and applied them again before it served anything. */
export const VaultReconciled = event('vault.reconciled', 1, {
  reconciliationId: plain<string>('A random id of that start.'),
  count: plain<number>('A count over all persons.'),
});
