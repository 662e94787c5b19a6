import { randomBytes } from 'node:crypto';

const DRAWN_BYTES = 4_096;
let drawn: Buffer = Buffer.alloc(0);
let at = 0;

/**
 * Bytes of the operating system's generator for ids and nonces, each handed out once. Many are drawn at a time, because a call of
 * `randomBytes` costs thirty times as much. Not for keys: what is still to come lies in memory.
 */
export const randomPart = (length: number): Buffer => {
  if (at + length > drawn.length) {
    // Never drawn into the same memory: what was handed out stays as it is. Never fewer than asked for: a part would be cut short.
    drawn = randomBytes(Math.max(DRAWN_BYTES, length));
    at = 0;
  }
  return drawn.subarray(at, (at += length));
};
