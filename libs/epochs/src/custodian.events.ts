import { event, plain } from '#events';

const MIRROR = 'The random id of a mirror of the custodian; nobody is meant by it.';

/** A mirror was enrolled: it has a root of its own, and every destruction waits for its confirmation. In `vault-ledger`. */
export const MirrorAdded = event('custodian.mirror-added', 1, { mirrorId: plain<string>(MIRROR) });

/** Somebody wants a mirror to be waited for no more; it still is until somebody else agrees. */
export const MirrorRetirementProposed = event('custodian.mirror-retirement-proposed', 1, {
  mirrorId: plain<string>(MIRROR),
});

/** Two persons have agreed that a mirror's confirmations are waited for no more: what it may still hold is theirs to answer for. */
export const MirrorRetired = event('custodian.mirror-retired', 1, { mirrorId: plain<string>(MIRROR) });

/** A mirror that did not come back by itself was brought back: damaged, of a wrong root, or a fork whose journal was united. */
export const MirrorRepaired = event('custodian.mirror-repaired', 1, { mirrorId: plain<string>(MIRROR) });
