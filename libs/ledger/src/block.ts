import type { EventId, ScopeId } from '#kernel';
import { MakulerError } from '#kernel';

/**
 * One sealed block of an event, format 1 (frozen in test/vectors/ledger; see docs/formats):
 *
 *     0x01 ‖ length of label (1 byte) ‖ label ("slot/category", ASCII) ‖ what Vault.seal gave: nonce (24) ‖ ciphertext ‖ tag (16)
 *
 * The plaintext is the JSON object of the block's fields, padded by the vault. The label is in clear, because a reader must
 * know which fields a block held when its key is gone: "erased" and "was never given" are different answers.
 */
const FORMAT = 1;

export interface BlockLabel {
  readonly slot: string;
  readonly category: string;
}

/** Binds a block to its event, stream, scope and label: moved anywhere else, it does not open. */
export const associatedData = (
  at: { eventId: EventId; type: string; stream: string },
  scopeId: ScopeId,
  label: BlockLabel,
): Uint8Array =>
  // None of the parts can hold a NUL, so what is joined is injective.
  Buffer.from(
    `makuler/block\0${FORMAT}\0${at.eventId}\0${at.type}\0${at.stream}\0${scopeId}\0${label.slot}\0${label.category}`,
  );

export const encodeBlock = (label: BlockLabel, sealed: Uint8Array): string => {
  const name = Buffer.from(`${label.slot}/${label.category}`, 'ascii');
  return Buffer.concat([Buffer.from([FORMAT, name.length]), name, sealed]).toString('base64');
};

/** Throws `block-tampered` on anything that is not a block of a known format. */
export const decodeBlock = (text: string): { label: BlockLabel; sealed: Uint8Array } => {
  const bytes = Buffer.from(text, 'base64');
  const end = 2 + (bytes[1] ?? 0);
  const [slot, category, ...rest] = bytes.subarray(2, end).toString('ascii').split('/');
  if (bytes[0] !== FORMAT || bytes.length <= end || !slot || !category || rest.length > 0)
    throw new MakulerError('block-tampered', { detail: 'A sealed block is not of a known format.' });
  return { label: { slot, category }, sealed: bytes.subarray(end) };
};

/** The fields in an opened block, which is wiped. */
export const valuesIn = (plaintext: Uint8Array): Readonly<Record<string, unknown>> => {
  const { buffer, byteOffset, byteLength } = plaintext;
  // Read where it lies: a copy would stay behind when the plaintext is wiped.
  const values = JSON.parse(Buffer.from(buffer, byteOffset, byteLength).toString()) as Record<string, unknown>;
  plaintext.fill(0);
  return values;
};
