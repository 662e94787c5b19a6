import { ROOT_HEADER } from './custodian-files.mjs';
import { takeBucketWrap, takeRecord } from './rows.mjs';

/**
 * What lies in the bytes of a file whether or not a row still points there: dead tuples and write-ahead log of PostgreSQL,
 * rests of files. A tuple's columns lie one after the other: a uuid as 16 bytes, an integer as 4 (little end first), up to
 * 126 bytes behind one byte (2 × (length + 1) + 1), longer ones behind four (4 × (length + 4)).
 */
export const takeBytesLeft = (bytes, loot) => {
  for (const at of places(bytes, ROOT_HEADER)) {
    const key = bytes.subarray(at + ROOT_HEADER.length, at + ROOT_HEADER.length + 32);
    if (key.length === 32) loot.keep('roots', { mirror: '', epoch: 0, key }, key);
  }
  for (const at of places(bytes, headed(EPOCH_KEY))) takeEpochWrapAt(bytes, at, loot);
  for (const at of places(bytes, headed(BUCKET_KEY))) takeBucketWrapAt(bytes, at, loot);
  for (let length = SMALLEST_RECORD; length < LARGEST_RECORD; length += 64)
    for (const kind of [3, 4])
      for (const at of places(bytes, long(length, kind))) takeRecordAt(bytes, at, length, loot);
};

const EPOCH_KEY = 1;
const BUCKET_KEY = 2;
/** Envelope (2), nonce, 32 bytes padded to 64, tag. */
const WRAP_LENGTH = 2 + 24 + 64 + 16;
const SMALLEST_RECORD = 2 + 24 + 128 + 16;
const LARGEST_RECORD = SMALLEST_RECORD + 64 * 8;

const headed = (kind) => Buffer.from([2 * (WRAP_LENGTH + 1) + 1, 1, kind]);
const long = (length, kind) => {
  const header = Buffer.alloc(6);
  header.writeUInt32LE(4 * (length + 4));
  header.set([1, kind], 4);
  return header;
};

function* places(bytes, needle) {
  for (let at = bytes.indexOf(needle); at !== -1; at = bytes.indexOf(needle, at + 1)) yield at;
}

const uuidAt = (bytes, at) =>
  at < 0
    ? undefined
    : bytes.toString('hex', at, at + 16).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');

const takeEpochWrapAt = (bytes, at, loot) => {
  if (at < 20) return;
  const [epoch, mirror] = [bytes.readInt32LE(at - 20), uuidAt(bytes, at - 16)];
  const wrapped = bytes.subarray(at + 1, at + 1 + WRAP_LENGTH);
  loot.keep('epochWraps', { epoch, mirror, wrapped }, epoch, mirror, wrapped);
};

const takeBucketWrapAt = (bytes, at, loot) => {
  if (at < 24) return;
  const [generation, epoch] = [bytes.readInt32LE(at - 8), bytes.readInt32LE(at - 4)];
  // An update may be logged without the columns that it left as they were: then the bucket is unknown, and all are tried.
  const bucketId = uuidAt(bytes, at - 24);
  takeBucketWrap(loot, { bucketId, generation, epoch, wrapped: bytes.subarray(at + 1, at + 1 + WRAP_LENGTH) });
};

/** A scope's tuple: id, bucket, state (behind one byte), identity (32 behind one byte), padding, record. */
const takeRecordAt = (bytes, at, length, loot) => {
  const sealed = bytes.subarray(at + 4, at + 4 + length);
  const state = Math.max(bytes.lastIndexOf('\x0blive', at), bytes.lastIndexOf('\x11expired', at));
  const near = state >= 32 && at - state <= 48;
  const bucketId = near ? uuidAt(bytes, state - 16) : undefined;
  takeRecord(loot, { bucketId, scopeId: near ? uuidAt(bytes, state - 32) : undefined, sealed });
};
