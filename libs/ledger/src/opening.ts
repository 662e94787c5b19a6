import type { EventRegistry, EventType } from '#events';
import type { Opened, ScopeId } from '#kernel';
import { ERASED, LOST, MakulerError, Personal } from '#kernel';
import type { OpeningKey, Vault } from '#vault';
import { associatedData, decodeBlock, valuesIn } from './block.js';
import { fieldsUnder, sealedFieldsOf } from './sealed-fields.js';
import type { Envelope, ScopeOutcome } from './types.js';

export interface OpenedBlocks {
  readonly fields: Record<string, Opened<unknown>>;
  readonly scopes: readonly ScopeOutcome[];
}

/**
 * Opens envelopes, all keys in one call. A block whose key is shredded reads as erased; one whose key can't be had, is
 * unknown, or does not fit throws: an outage never looks like an erasure (P5).
 */
export const openEnvelopes = async (
  vault: Vault,
  registry: EventRegistry,
  envelopes: readonly Envelope[],
): Promise<readonly OpenedBlocks[]> => {
  const wanted = new Set<ScopeId>();
  for (const envelope of envelopes) for (const id of Object.keys(envelope.sealed)) wanted.add(id as ScopeId);
  const keys: ReadonlyMap<ScopeId, OpeningKey> = wanted.size === 0 ? new Map() : await vault.openingKeys([...wanted]);
  return envelopes.map((envelope) => openEnvelope(vault, registry, envelope, keys));
};

const openEnvelope = (
  vault: Vault,
  registry: EventRegistry,
  envelope: Envelope,
  keys: ReadonlyMap<ScopeId, OpeningKey>,
): OpenedBlocks => {
  const fields: Record<string, Opened<unknown>> = {};
  const scopes: ScopeOutcome[] = [];
  const declared = registry.get(envelope.type);
  for (const [id, text] of Object.entries(envelope.sealed)) {
    const scopeId = id as ScopeId;
    const { label, sealed } = decodeBlock(text);
    const answer = keys.get(scopeId);
    if (!answer) throw new MakulerError('scope-unknown');
    if (answer.state !== 'live') {
      scopes.push({ scopeId, ...label, state: answer.state });
      const gone = answer.state === 'shredded' ? ERASED : LOST;
      for (const name of fieldsUnder(declared, label)) fields[name] = gone;
      continue;
    }
    const { key } = answer;
    scopes.push({ scopeId, ...label, state: 'live', owner: key.owner, partition: key.partition });
    const plaintext = vault.open(key, sealed, associatedData(envelope, scopeId, label));
    const values = valuesIn(plaintext);
    for (const [name, value] of Object.entries(values)) fields[name] = new Personal(value);
  }
  // What no block holds was never given: it reads as null, which is not "erased".
  for (const name of sealedFieldsOf(declared)) if (!(name in fields)) fields[name] = new Personal(null);
  return { fields, scopes };
};

/** Brings opened data of an old schema version to today's shape. Throws when a version is newer than the program. */
export const upcast = (
  declared: EventType,
  version: number,
  data: Record<string, unknown>,
): Record<string, unknown> => {
  if (version > declared.version)
    throw new Error(`${declared.type}: version ${version} was written by a newer program than this`);
  let current = data;
  for (let from = version; from < declared.version; from++) current = declared.upcasts[from]?.(current) ?? current;
  return current;
};
