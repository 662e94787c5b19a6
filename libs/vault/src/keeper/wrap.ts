import type { OwnerRef, ScopeId } from '#kernel';
import { authenticate, deriveKey, KEY_BYTES, openBytes, sealBytes, wipe } from '../aead.js';

/**
 * The envelope of everything that the vault seals for itself: version (1 byte, 1) ‖ kind (1 byte) ‖ nonce (24) ‖
 * ciphertext ‖ tag (16). The associated data is UTF-8 text, one line each: a label with kind and version, then the ids
 * that the content belongs to. A wrap that was moved to another row, bucket, generation, epoch or installation does not open.
 */
const VERSION = 1;
const KINDS = { 'epoch-key': 1, 'bucket-key': 2, scope: 3, tombstone: 4, fence: 5 } as const;
export type WrapKind = keyof typeof KINDS;

export const associatedData = (kind: WrapKind, place: readonly (string | number)[]): Uint8Array =>
  Buffer.from([`makuler/vault/${kind}/${VERSION}`, ...place].join('\n'));

/** Seals `plaintext` for one place. `nonce` is given by test vectors only. */
export const wrap = (
  kind: WrapKind,
  key: Uint8Array,
  plaintext: Uint8Array,
  place: readonly (string | number)[],
  nonce?: Uint8Array,
): Buffer =>
  Buffer.concat(
    [[VERSION, KINDS[kind]], sealBytes(key, plaintext, associatedData(kind, place), nonce)].map(Buffer.from),
  );

/** What `wrap` sealed, or `undefined` when it does not authenticate here. */
export const unwrap = (
  kind: WrapKind,
  key: Uint8Array,
  wrapped: Uint8Array,
  place: readonly (string | number)[],
): Uint8Array | undefined =>
  wrapped[0] === VERSION && wrapped[1] === KINDS[kind]
    ? openBytes(key, wrapped.subarray(2), associatedData(kind, place))
    : undefined;

/** The two keys that a bucket key stands for: one seals records, the other makes the uniqueness column. */
export interface BucketKeys {
  readonly records: Uint8Array;
  readonly identities: Uint8Array;
}
export const bucketKeys = (bucketKey: Uint8Array): BucketKeys => ({
  records: deriveKey(bucketKey, 1, 'mkbucket'),
  identities: deriveKey(bucketKey, 2, 'mkbucket'),
});

/** Who a scope belongs to. */
export interface ScopeName {
  readonly owner: OwnerRef;
  readonly category: string;
  readonly partition: string;
}

/** MAC of owner, category and partition (as a JSON array) under the bucket's identity key: equal within a bucket, and nowhere else. */
export const scopeIdentity = (keys: BucketKeys, { owner, category, partition }: ScopeName): Buffer =>
  Buffer.from(authenticate(keys.identities, Buffer.from(JSON.stringify([owner.kind, owner.id, category, partition]))));

/** A scope's record, opened. An expired scope's tombstone has the same name and no key. */
export interface ScopeRecord extends ScopeName {
  readonly stream: string;
}

export interface ScopePlace {
  readonly bucketId: string;
  readonly generation: number;
  readonly scopeId: ScopeId;
}
const at = ({ bucketId, generation, scopeId }: ScopePlace) => [bucketId, generation, scopeId];

const nameBytes = ({ owner, category, partition, stream }: ScopeRecord): Buffer =>
  Buffer.from(JSON.stringify({ owner: { kind: owner.kind, id: owner.id }, category, partition, stream }));
const nameOf = (bytes: Uint8Array): ScopeRecord => JSON.parse(Buffer.from(bytes).toString()) as ScopeRecord;

/** A live scope: data key (32) ‖ JSON of owner, category, partition and stream. */
export const sealScope = (
  keys: BucketKeys,
  place: ScopePlace,
  record: ScopeRecord,
  dataKey: Uint8Array,
  nonce?: Uint8Array,
): Buffer => {
  // The key comes first and as bytes: a string of it could not be wiped.
  const plaintext = Buffer.concat([dataKey, nameBytes(record)]);
  const sealed = wrap('scope', keys.records, plaintext, at(place), nonce);
  wipe(plaintext);
  return sealed;
};

/** What `sealScope` sealed, or `undefined` when it does not authenticate here. The caller wipes the key in it. */
export const openRecord = (keys: BucketKeys, place: ScopePlace, sealed: Uint8Array): Uint8Array | undefined =>
  unwrap('scope', keys.records, sealed, at(place));

/** The two parts of an opened record; the key is wiped in it. The caller wipes the one that it is given. */
export const scopeIn = (opened: Uint8Array): { readonly record: ScopeRecord; readonly dataKey: Uint8Array } => {
  const dataKey = opened.slice(0, KEY_BYTES);
  opened.fill(0, 0, KEY_BYTES);
  return { record: nameOf(opened.subarray(KEY_BYTES)), dataKey };
};

/** The record and data key, or `undefined` when the row does not authenticate. The caller wipes the key. */
export const openScope = (keys: BucketKeys, place: ScopePlace, sealed: Uint8Array) => {
  const opened = openRecord(keys, place, sealed);
  return opened && scopeIn(opened);
};

/** An expired scope's tombstone keeps the name, so that the fence against minting it again holds. */
export const sealTombstone = (keys: BucketKeys, place: ScopePlace, record: ScopeRecord, nonce?: Uint8Array): Buffer =>
  wrap('tombstone', keys.records, nameBytes(record), at(place), nonce);
export const openTombstone = (keys: BucketKeys, place: ScopePlace, sealed: Uint8Array): ScopeRecord | undefined => {
  const plaintext = unwrap('tombstone', keys.records, sealed, at(place));
  return plaintext && nameOf(plaintext);
};
