/**
 * Protocol Buffers wire format (https://protobuf.dev/programming-guides/encoding/), for the few messages that come by the ten
 * thousand: appended events in, recorded events out. The classes generated for the vendor's client take three times as long and
 * leave out a field that newer clients send. Everything else uses those classes, and the specs compare the two.
 */

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

/** A message that breaks off or holds what the format does not know. */
export class WireError extends Error {
  override readonly name = 'WireError';
}

/** Calls `field` with each field of a message: its number, and its bytes or its number value. Unknown kinds throw WireError. */
export const eachField = (message: Buffer, field: (number: number, bytes: Buffer, value: bigint) => void): void => {
  let at = 0;
  const varint = (): bigint => {
    let [low, shift] = [0, 0];
    // Up to 28 bits without BigInt: tags, lengths and most values.
    for (; shift < 28; shift += 7) {
      const byte = message[at++];
      if (byte === undefined) throw new WireError('The message breaks off.');
      low |= (byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt(low);
    }
    let value = BigInt(low);
    for (; shift < 70; shift += 7) {
      const byte = message[at++];
      if (byte === undefined) throw new WireError('The message breaks off.');
      value |= BigInt(byte & 0x7f) << BigInt(shift);
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw new WireError('A number has more than 64 bits.');
  };
  const take = (length: number): Buffer => {
    if (at + length > message.length) throw new WireError('The message breaks off.');
    return message.subarray(at, (at += length));
  };
  while (at < message.length) {
    const tag = Number(varint());
    const kind = tag & 7;
    if (kind === VARINT) field(tag >>> 3, EMPTY, varint());
    else if (kind === BYTES) field(tag >>> 3, take(Number(varint())), 0n);
    else if (kind === FIXED64) field(tag >>> 3, take(8), 0n);
    else if (kind === FIXED32) field(tag >>> 3, take(4), 0n);
    else throw new WireError('The message holds a kind of field that is no longer in use.');
  }
};
const EMPTY = Buffer.alloc(0);

/** Bytes that a number takes as a varint. */
export const varintSize = (value: number): number => {
  let size = 1;
  while (value >= 0x80) {
    value = Math.floor(value / 0x80);
    size++;
  }
  return size;
};
/** Bytes that a field of bytes takes, with tag (field numbers below 16) and length. */
export const bytesFieldSize = (length: number): number => 1 + varintSize(length) + length;

/** Writes into a buffer of exactly the right size; fields in any order, numbers below 2^53. */
export class WireWriter {
  readonly buffer: Buffer;
  #at = 0;
  /** `kept`: what stays for long must have memory of its own, and not hold a slab that it shares with what is gone soon. */
  constructor(size: number, { kept = false } = {}) {
    this.buffer = kept ? Buffer.allocUnsafeSlow(size) : Buffer.allocUnsafe(size);
  }
  /** The head of a nested message, or of anything else with a length: `length` bytes must follow. */
  open(field: number, length: number): void {
    this.buffer[this.#at++] = (field << 3) | BYTES;
    this.#varint(length);
  }
  number(field: number, value: number): void {
    this.buffer[this.#at++] = (field << 3) | VARINT;
    this.#varint(value);
  }
  bytes(field: number, value: Buffer): void {
    this.open(field, value.length);
    this.raw(value);
  }
  /** ASCII only: the caller knows its length in bytes. */
  ascii(field: number, value: string): void {
    this.open(field, value.length);
    this.#at += this.buffer.write(value, this.#at, 'latin1');
  }
  raw(value: Buffer): void {
    value.copy(this.buffer, this.#at);
    this.#at += value.length;
  }
  #varint(value: number): void {
    while (value >= 0x80) {
      this.buffer[this.#at++] = (value % 0x80) | 0x80;
      value = Math.floor(value / 0x80);
    }
    this.buffer[this.#at++] = value;
  }
}
