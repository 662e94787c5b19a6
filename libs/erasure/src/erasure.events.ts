import type { Category } from '#events';
import { event, personal, plain, subject } from '#events';
import type { CompanyId, Day, ErasureId, SubjectId } from '#kernel';
import type { AwaitedEvent, PlanItem } from '#policy';

/** What is done with one scope. It stands sealed in the log: its partition and dates would join a person's events. */
export interface PlannedScope extends PlanItem {
  readonly category: Category;
  readonly partition: string;
}

/** How many scopes of a category get which action. Safe in clear: a statutory date is a fiscal year's end, the same for all. */
export interface PlanLine {
  readonly category: Category;
  readonly action: PlanItem['action'];
  readonly count: number;
  readonly until?: Day;
  readonly untilEvent?: AwaitedEvent;
  readonly law?: string;
}

/** What a finished shred order destroyed: a fingerprint is a hash of the destroyed key and points to no scope. */
export interface DestroyedKey {
  readonly category: string;
  readonly fingerprint: string;
}

const ERASURE = 'A random id that occurs in this stream only.';
const LIST = 'A random id that occurs in this stream only, and groups parts of one record.';
const PARTS = 'How many parts a record has: follows from counts that stand beside it.';

/** What events before they could have parts say of them. */
const undivided = (data: Record<string, unknown>) => ({ ...data, list: null, parts: 0 });

/** Some items of a plan that is too long for one event. They are part of a plan only once `erasure.planned` names their list. */
export const ErasureItemsListed = event('erasure.items-listed', 1, {
  ownerId: subject<SubjectId | CompanyId>(),
  erasureId: plain<ErasureId>(ERASURE),
  list: plain<string>(LIST),
  part: plain<number>(PARTS),
  items: personal<readonly PlannedScope[]>('request', { source: 'derived' }),
});

/** Some of the destroyed keys, if they are too many for one event. `erasure.executed` names their list. */
export const ErasureKeysListed = event('erasure.keys-listed', 1, {
  ownerId: subject<SubjectId | CompanyId>(),
  erasureId: plain<ErasureId>(ERASURE),
  list: plain<string>(LIST),
  part: plain<number>(PARTS),
  destroyed: plain<readonly DestroyedKey[]>('Hashes of destroyed random keys: they point to no scope and no value.'),
});

/** A piece of a certificate that is too long for one event. `erasure.certified` or `erasure.recertified` names its list. */
export const ErasureCertificateListed = event('erasure.certificate-listed', 1, {
  ownerId: subject<SubjectId | CompanyId>(),
  erasureId: plain<ErasureId>(ERASURE),
  list: plain<string>(LIST),
  part: plain<number>(PARTS),
  piece: plain<string>('Counts, hashes of destroyed keys and provisions of law; no id but that of the erasure.'),
});
const KIND = 'Says which kind of owner the stream belongs to; the stream name says it too.';

/**
 * A plan: what would happen to every scope of this owner. Nothing has happened yet. Written again under the same id when
 * the plan changed. A plan of many keys has its items in parts, recorded before; `items` is empty then. Items, note and the salt of the hash are sealed under a scope of this erasure's own, which is
 * destroyed with the rest, so that nothing lists what the person had.
 */
export const ErasurePlanned = event(
  'erasure.planned',
  2,
  {
    ownerId: subject<SubjectId | CompanyId>(),
    ownerKind: plain<'subject' | 'company'>(KIND),
    erasureId: plain<ErasureId>(ERASURE),
    ground: plain<string>('A ground of GDPR art. 17(1), out of the short list in the policy.'),
    planHash: plain<string>(
      'SHA-256 salted with a sealed random value: without it no guess about the plan can be tried.',
    ),
    summary: plain<readonly PlanLine[]>('Counts for each category and action; the dates are ends of fiscal years.'),
    list: plain<string | null>(LIST),
    parts: plain<number>(PARTS),
    items: personal<readonly PlannedScope[]>('request', { source: 'derived' }),
    salt: personal<string>('request', { source: 'derived' }),
    note: personal<string | null>('request', { source: 'observed' }),
  },
  { upcasts: { 1: undivided } },
);

/** Another person than the planner looked at the plan with this hash and agreed to it. */
export const ErasureApproved = event('erasure.approved', 1, {
  ownerId: subject<SubjectId | CompanyId>(),
  erasureId: plain<ErasureId>(ERASURE),
  planHash: plain<string>('The salted hash of the plan that was approved.'),
});

/** Somebody asked for the plan to be executed. The job that does it follows from this event, not from a queue. */
export const ErasureExecutionRequested = event('erasure.execution-requested', 1, {
  ownerId: subject<SubjectId | CompanyId>(),
  ownerKind: plain<'subject' | 'company'>(KIND),
  erasureId: plain<ErasureId>(ERASURE),
});

/**
 * From here on nothing new about this person is accepted; the vault's fence goes up next. Reserves the id of the shred
 * order, so that a crash at any later moment finds the same order again.
 */
export const ErasureFenced = event('erasure.fenced', 1, {
  ownerId: subject<SubjectId | CompanyId>(),
  erasureId: plain<ErasureId>(ERASURE),
  orderId: plain<string>('A random id that occurs in this stream and in the shred journal only.'),
});

/** Behind the fence the plan came out otherwise than approved. Nothing was destroyed, and the fence is down again. */
export const ErasureStopped = event('erasure.stopped', 1, {
  ownerId: subject<SubjectId | CompanyId>(),
  erasureId: plain<ErasureId>(ERASURE),
});

/** A step did not succeed and is being repeated. Written once for each step and code, so that partial shows as partial. */
export const ErasureDelayed = event('erasure.delayed', 1, {
  ownerId: subject<SubjectId | CompanyId>(),
  erasureId: plain<ErasureId>(ERASURE),
  step: plain<string>('A step of the execution, out of a list.'),
  code: plain<string>('An error code, out of the list of all error codes.'),
});

/** The keys are destroyed, and since `liveErasedAt` no process can read with them. Stands right after `subject.erased`. */
export const ErasureExecuted = event(
  'erasure.executed',
  2,
  {
    ownerId: subject<SubjectId | CompanyId>(),
    erasureId: plain<ErasureId>(ERASURE),
    liveErasedAt: plain<string>('The instant of a technical step, in this stream only.'),
    list: plain<string | null>(LIST),
    parts: plain<number>(PARTS),
    destroyed: plain<readonly DestroyedKey[]>('Hashes of destroyed random keys: they point to no scope and no value.'),
  },
  { upcasts: { 1: undivided } },
);

/** Vault and log were asked again: what the plan destroys can be read nowhere, and nothing is left that it does not keep. */
export const ErasureVerified = event('erasure.verified', 1, {
  ownerId: subject<SubjectId | CompanyId>(),
  erasureId: plain<ErasureId>(ERASURE),
});

const CERTIFICATE = 'Counts, hashes of destroyed keys and provisions of law; no id but that of the erasure.';
const CLEARED = 'When roots of the vault are to be destroyed, for all keys of an epoch alike.';
const EPOCH = 'Counts the generations of the vault’s top key, which all keys of the time share.';

/**
 * The signed certificate: JWS (compact), Ed25519, without personal data. `backupsClearedBy` (RFC 3339) is what it promises of
 * backups, `null` where it promises no date; `epoch` is the last whose roots could open a copy of the destroyed keys.
 */
export const ErasureCertified = event(
  'erasure.certified',
  3,
  {
    ownerId: subject<SubjectId | CompanyId>(),
    erasureId: plain<ErasureId>(ERASURE),
    list: plain<string | null>(LIST),
    parts: plain<number>(PARTS),
    certificate: plain<string>(CERTIFICATE),
    backupsClearedBy: plain<string | null>(CLEARED),
    epoch: plain<number | null>(EPOCH),
  },
  { upcasts: { 1: (data) => ({ ...data, backupsClearedBy: null, epoch: null }), 2: undivided } },
);

/** Why a certificate was replaced. In each case the date moved forward, or became open. */
export type RecertificationReason =
  /** The first certificate promised no date: none was known then. */
  | 'first-date'
  /** The seal that ends the epoch came later than planned. */
  | 'seal-late'
  /** The date has passed, and not every mirror has confirmed: there is no date until it does. */
  | 'mirror-outstanding';

/** A new certificate in the place of the last one, because the date that it promised of backups could not be kept. */
export const ErasureRecertified = event(
  'erasure.recertified',
  2,
  {
    ownerId: subject<SubjectId | CompanyId>(),
    erasureId: plain<ErasureId>(ERASURE),
    list: plain<string | null>(LIST),
    parts: plain<number>(PARTS),
    certificate: plain<string>(CERTIFICATE),
    backupsClearedBy: plain<string | null>(CLEARED),
    epoch: plain<number>(EPOCH),
    reason: plain<RecertificationReason>('One of three words.'),
  },
  { upcasts: { 1: undivided } },
);

/** Every mirror has confirmed that the roots are gone. The second signed statement: JWS (compact), Ed25519, about the last certificate. */
export const ErasureAttested = event('erasure.attested', 1, {
  ownerId: subject<SubjectId | CompanyId>(),
  erasureId: plain<ErasureId>(ERASURE),
  attestation: plain<string>('The hash of the certificate, an instant and two counts; no id but that of the erasure.'),
  backupsClearedAt: plain<string>('When the last root of an epoch was gone, for all keys of that epoch alike.'),
});

/** The plan was withdrawn before anything was destroyed. */
export const ErasureGivenUp = event('erasure.given-up', 1, {
  ownerId: subject<SubjectId | CompanyId>(),
  erasureId: plain<ErasureId>(ERASURE),
});
