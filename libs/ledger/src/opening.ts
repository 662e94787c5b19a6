import type { EventRegistry, EventType } from '#events';
import type { Opened, ScopeId } from '#kernel';
import { ERASED, LOST, MakulerError, Personal } from '#kernel';
import type { OpeningKey, Vault } from '#vault';
import { associatedData, decodeBlock } from './block.js';
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
      for (const name of fieldsUnder(declared, label.slot, label.category)) fields[name] = gone;
      continue;
    }
    const { key } = answer;
    scopes.push({ scopeId, ...label, state: 'live', owner: key.owner, partition: key.partition });
    const plaintext = vault.open(key, sealed, associatedData(envelope, scopeId, label));
    const values = JSON.parse(textOf(plaintext)) as Record<string, unknown>;
    plaintext.fill(0);
    for (const [name, value] of Object.entries(values)) fields[name] = new Personal(value);
  }
  // What no block holds was never given: it reads as null, which is not "erased".
  for (const name of sealedFieldsOf(declared)) if (!(name in fields)) fields[name] = new Personal(null);
  return { fields, scopes };
};

/** Read where it lies: a copy would stay behind when the plaintext is wiped. */
const textOf = ({ buffer, byteOffset, byteLength }: Uint8Array): string =>
  Buffer.from(buffer, byteOffset, byteLength).toString();

const sealedFields = new WeakMap<EventType, readonly string[]>();
/** The fields that only a block can hold; worked out once for each type, because a rebuild asks for every event. */
const sealedFieldsOf = (declared: EventType | undefined): readonly string[] => {
  if (!declared) return [];
  const known = sealedFields.get(declared);
  if (known) return known;
  const isSealed = ({ kind }: { kind: string }) => kind === 'personal' || kind === 'reference';
  const names = Object.keys(declared.fields).filter((name) => isSealed(declared.fields[name]!));
  sealedFields.set(declared, names);
  return names;
};

const fieldsUnder = (declared: EventType | undefined, slot: string, category: string): string[] =>
  Object.entries(declared?.fields ?? {})
    .filter(([, f]) => (f.kind === 'personal' || f.kind === 'reference') && f.owner === slot && f.category === category)
    .map(([name]) => name);

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
