import { event, plain } from '#events';

const EPOCH = 'A number that counts the generations of the vault’s top key; nobody is meant by it.';
const STEP = 'The instant of a technical step that concerns all keys at once.';

/**
 * Every key that lives has left this epoch: from the destruction of its roots on, no copy of the vault from before opens. In
 * `vault-ledger`, once for each epoch.
 */
export const EpochSealed = event('epoch.sealed', 1, {
  epoch: plain<number>(EPOCH),
  sealedAt: plain<string>(STEP),
  destroyAt: plain<string>(
    'The day and time on which the roots of this epoch are to be destroyed, for all keys alike.',
  ),
  rotated: plain<number | null>('How many buckets got a fresh key; null where a crash lost the count.'),
  rewrapped: plain<number | null>('How many buckets kept theirs; null where a crash lost the count.'),
});

/** Every enrolled mirror has confirmed that its root of this epoch is gone. In `vault-ledger`, once for each epoch. */
export const EpochRootsDestroyed = event('epoch.roots-destroyed', 1, {
  epoch: plain<number>(EPOCH),
  at: plain<string>('The instant at which the last confirmation was seen.'),
});
