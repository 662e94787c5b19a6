import type { KeyObject } from 'node:crypto';
import { createCipheriv, createDecipheriv, createHmac, createSecretKey, hkdfSync, randomBytes } from 'node:crypto';
import { ReservedIds } from '#kernel';
import type { Outcome } from './idempotency.js';
import type { WeekSecret } from './idempotency-secrets.js';

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Derived once for each secret, and gone with it. */
const outcomeKeys = new WeakMap<WeekSecret, KeyObject>();
const outcomeKey = (week: WeekSecret): KeyObject => {
  const key =
    outcomeKeys.get(week) ??
    createSecretKey(Buffer.from(hkdfSync('sha256', week.secret, '', 'makuler/idempotency/outcome/1', 32)));
  outcomeKeys.set(week, key);
  return key;
};

/**
 * Seals what is remembered of a command under its week's secret: the ids in it (a person's and their company's, every row
 * of an import) would join what the log keeps apart. AES-256-GCM, bound to the record: nonce (12) ‖ ciphertext ‖ tag (16).
 */
export const sealOutcome = (secret: WeekSecret, record: Buffer, outcome: Outcome): Buffer => {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', outcomeKey(secret), nonce).setAAD(record);
  return Buffer.concat([nonce, cipher.update(JSON.stringify(outcome)), cipher.final(), cipher.getAuthTag()]);
};

/** Throws when the bytes are not of this record and secret. */
export const openOutcome = (secret: WeekSecret, record: Buffer, sealed: Buffer): Outcome => {
  const decipher = createDecipheriv('aes-256-gcm', outcomeKey(secret), sealed.subarray(0, NONCE_BYTES))
    .setAAD(record)
    .setAuthTag(sealed.subarray(-TAG_BYTES));
  const text = Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
  return JSON.parse(text.toString()) as Outcome;
};

/** The ids of a command: from the random bytes of its record and the week's secret, so that the record alone gives none away. */
export const idsOf = ({ secret }: WeekSecret, seed: Buffer, reservedAt: Date): ReservedIds =>
  new ReservedIds(
    createHmac('sha256', secret).update('makuler/idempotency/ids/1\n').update(seed).digest(),
    reservedAt.getTime(),
  );
