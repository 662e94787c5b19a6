import { createHash, createHmac } from 'node:crypto';
import { blake2b } from './primitive.mjs';

const PLAIN = ['md5', 'sha1', 'sha256', 'sha512'];

/**
 * Guesses that the loot confirms: a value that stands somewhere as it is, or as a digest, bare or under any key that was
 * found, whole or cut to its first 8 or 16 bytes. Answers with the guesses' numbers and where they stand.
 */
export const confirm = (guesses, loot, { roots, epochKeys, buckets, dataKeys }) => {
  const keys = [
    ...roots,
    ...epochKeys,
    ...dataKeys,
    ...buckets.flatMap(({ records, identities }) => [records, identities]),
  ];
  const kept = keptValues(loot);
  return guesses.flatMap((guess, number) => {
    for (const form of new Set([guess, guess.toLowerCase(), JSON.stringify(guess)]))
      for (const digest of digests(form, keys)) {
        const at = kept.get(digest);
        if (at) return [{ guess: number, at }];
      }
    return [];
  });
};

function* digests(text, keys) {
  yield Buffer.from(text).toString('hex');
  for (const digest of rawDigests(text, keys))
    for (const length of [8, 16, digest.length]) yield digest.toString('hex', 0, length);
}

function* rawDigests(text, keys) {
  for (const name of PLAIN) yield createHash(name).update(text).digest();
  yield blake2b(text);
  for (const key of keys) {
    yield createHmac('sha256', key).update(text).digest();
    yield blake2b(text, key);
  }
}

/** Every value of every row and event, as hex: bytes as they are, text as its bytes, and as the bytes that hex or base64 stand for. */
const keptValues = ({ rows, events }) => {
  const kept = new Map();
  const keep = (at, value) => {
    if (value === null || value === undefined) return;
    if (Buffer.isBuffer(value)) kept.set(value.toString('hex'), at);
    else if (typeof value === 'object') for (const [name, inner] of Object.entries(value)) keep(`${at}.${name}`, inner);
    else {
      const text = String(value);
      kept.set(Buffer.from(text).toString('hex'), at);
      if (/^[0-9a-f]{16,}$/i.test(text)) kept.set(text.toLowerCase(), at);
      if (/^[\w+/=-]{11,}$/.test(text)) kept.set(Buffer.from(text, 'base64').toString('hex'), at);
    }
  };
  for (const { table, row } of rows) if (table !== 'event') keep(table, row);
  // A stream's own name may hold its person's id: that is what the name is.
  for (const { data, metadata } of events) keep('event', { data, metadata });
  return kept;
};
