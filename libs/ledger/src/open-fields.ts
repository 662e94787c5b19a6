import type { EventRegistry } from '#events';
import type { Opened, ScopeId } from '#kernel';
import { ERASED, LOST, Personal } from '#kernel';
import type { SealedBlock, Vault } from '#vault';
import { associatedData, decodeBlock, valuesIn } from './block.js';
import type { Opens } from './ledger.js';
import type { OpenedBlocks } from './opening.js';
import { fieldsUnder, sealedFieldsOf } from './sealed-fields.js';
import type { Envelope, ScopeOutcome } from './types.js';

/** Of a field that was left closed: whoever asks what has become of it made a mistake, and must not be told anything. */
const CLOSED = Object.freeze({
  get state(): never {
    throw new Error('the follower has not said that it opens this field');
  },
}) as Opened<never>;

/** What no block holds was never given: it reads as null, which is not "erased". */
const NEVER_GIVEN = new Personal(null);

/** Where a block that is opened belongs. */
interface Place {
  readonly into: { readonly fields: Record<string, Opened<unknown>>; readonly scopes: ScopeOutcome[] };
  readonly names: readonly string[];
  readonly isWanted: (name: string) => boolean;
  readonly outcome: Omit<ScopeOutcome, 'state'>;
}

/**
 * `openEnvelopes` for a follower that has said which fields it reads: blocks without one of them stay closed, nothing is asked of them,
 * and no key is kept. An event of an older version is opened whole: its fields may have had other names.
 */
export const openFields = async (
  vault: Vault,
  registry: EventRegistry,
  envelopes: readonly Envelope[],
  opens: Opens,
): Promise<readonly OpenedBlocks[]> => {
  const blocks: SealedBlock[] = [];
  const places: Place[] = [];
  const all = envelopes.map((envelope): OpenedBlocks => {
    const declared = registry.get(envelope.type);
    const wanted = opens.get(envelope.type);
    const isOld = envelope.version !== declared?.version;
    const isWanted = (name: string) => isOld || wanted?.has(name) === true;
    const into: Place['into'] = { fields: {}, scopes: [] };
    for (const name of sealedFieldsOf(declared)) into.fields[name] = isWanted(name) ? NEVER_GIVEN : CLOSED;
    for (const [id, text] of Object.entries(envelope.sealed)) {
      const scopeId = id as ScopeId;
      const { label, sealed } = decodeBlock(text);
      const names = fieldsUnder(declared, label);
      if (!isOld && !names.some(isWanted)) continue;
      blocks.push({ scopeId, block: sealed, associatedData: associatedData(envelope, scopeId, label) });
      places.push({ into, names, isWanted, outcome: { scopeId, ...label } });
    }
    return into;
  });
  if (blocks.length === 0) return all;
  const opened = await vault.openOnce(blocks);
  for (const [index, { into, names, isWanted, outcome }] of places.entries()) {
    const plaintext = opened[index]!;
    if (plaintext === 'shredded' || plaintext === 'lost') {
      into.scopes.push({ ...outcome, state: plaintext });
      for (const name of names) if (isWanted(name)) into.fields[name] = plaintext === 'shredded' ? ERASED : LOST;
      continue;
    }
    into.scopes.push({ ...outcome, state: 'live' });
    for (const [name, value] of Object.entries(valuesIn(plaintext)))
      if (isWanted(name)) into.fields[name] = new Personal(value);
  }
  return all;
};
