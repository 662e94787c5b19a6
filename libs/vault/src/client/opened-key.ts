import type { ScopeId } from '#kernel';
import { MakulerError } from '#kernel';
import { KEY_BYTES, openBytes } from '../aead.js';
import { unavailable } from '../rpc/errors.js';
import type { OpenedKey } from '../rpc/messages.js';
import type { ScopeRequest, SealedBlock } from '../vault.js';

/** The record of a live key, or what else the vault has answered; a fault of its own that is no answer to a reader throws. */
export const answerOf = (
  scopeId: ScopeId,
  key: OpenedKey | undefined,
): { readonly state: 'live'; readonly record: Uint8Array } | { readonly state: 'shredded' | 'lost' } => {
  switch (key?.state) {
    case 'live':
      // Of a vault that is not of this version, whose answer can't be read.
      if (!key.record || key.record.length <= KEY_BYTES) throw unavailable();
      return { state: 'live', record: key.record };
    case 'shredded':
    case 'lost':
      return { state: key.state };
    case 'unknown':
      throw new MakulerError('scope-unknown', { facts: { scopeId } });
    case 'damaged':
      throw new MakulerError('key-damaged', { facts: { scopeId } });
    case undefined:
      throw unavailable();
  }
};

/** The data key in a record: not a copy, for whoever wipes it. */
export const keyIn = (record: Uint8Array): Uint8Array => record.subarray(0, KEY_BYTES);

/** What the record says that the key is for. */
export const nameIn = (record: Uint8Array): ScopeRequest =>
  JSON.parse(Buffer.from(record.subarray(KEY_BYTES)).toString()) as ScopeRequest;

/** The plaintext of a block. Throws `vault-unavailable` without a key, and `block-tampered`. */
export const plaintextOf = (
  key: Uint8Array | undefined,
  { block, associatedData }: Pick<SealedBlock, 'block' | 'associatedData'>,
): Uint8Array => {
  if (!key) throw unavailable();
  const plaintext = openBytes(key, block, associatedData);
  if (!plaintext) throw new MakulerError('block-tampered');
  return plaintext;
};
