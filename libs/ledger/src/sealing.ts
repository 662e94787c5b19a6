import type { Category, Draft, Fields } from '#events';
import { CATEGORIES, OWN } from '#events';
import type { EventId, OwnerRef, ScopeId } from '#kernel';
import type { ScopeKey, ScopeRequest, SealingSession } from '#vault';
import type { BlockLabel } from './block.js';
import { associatedData, encodeBlock } from './block.js';
import type { StreamName } from './types.js';

/** The personal values of one draft that go under one key. */
interface PlannedBlock {
  readonly label: BlockLabel;
  readonly request: ScopeRequest;
  readonly values: Record<string, unknown>;
}

/** A draft split into what stands in clear and what is sealed, before any key is asked for. */
export interface PlannedEvent {
  readonly draft: Draft;
  readonly clear: Record<string, unknown>;
  readonly blocks: readonly PlannedBlock[];
}

/** `customer-0190…` → `0190…`: the id that `stream` partitions follow. */
export const idOfStream = (stream: StreamName): string => stream.slice(stream.indexOf('-') + 1);

/** The owner whose own stream this is: the only place where an owner's id may stand in clear. */
const ownOwner = (stream: StreamName): OwnerRef =>
  ({ kind: stream.startsWith('company-') ? 'company' : 'subject', id: idOfStream(stream) }) as OwnerRef;

const isNothing = (value: unknown) => value === null || value === undefined;

/**
 * Splits a draft by its declaration. A block is written for each (slot, category) that has a value. Throws on a fault of the
 * program: a value in a slot without owner, a `given` category without partition, a field that was never declared.
 */
export const planEvent = (draft: Draft, stream: StreamName): PlannedEvent => {
  const { event, data } = draft;
  const fields: Fields = event.fields;
  const clear: Record<string, unknown> = {};
  const groups = new Map<string, PlannedBlock>();
  for (const name of Object.keys(data))
    if (!(name in fields)) throw new Error(`${event.type}: ${name} is not declared`);
  for (const [name, field] of Object.entries(fields)) {
    const value = (data as Record<string, unknown>)[name];
    if (field.kind === 'plain' || field.kind === 'subject') {
      if (field.kind === 'subject' && value !== idOfStream(stream))
        throw new Error(`${event.type}.${name}: stands only in the stream of that very subject`);
      clear[name] = value ?? null;
      continue;
    }
    if (isNothing(value)) continue;
    const key = `${field.owner}/${field.category}`;
    let group = groups.get(key);
    if (!group) {
      const owner = field.owner === OWN ? ownOwner(stream) : draft.owners?.[field.owner];
      if (!owner) throw new Error(`${event.type}.${name}: slot ${field.owner} has a value but no owner`);
      group = {
        label: { slot: field.owner, category: field.category },
        request: { owner, category: field.category, partition: partitionOf(draft, field.category, stream), stream },
        values: {},
      };
      groups.set(key, group);
    }
    group.values[name] = value;
  }
  return { draft, clear, blocks: [...groups.values()] };
};

const partitionOf = (draft: Draft, category: Category, stream: StreamName): string => {
  switch (CATEGORIES[category]) {
    case 'none':
      return '';
    case 'stream':
      return idOfStream(stream);
    case 'given': {
      const partition = draft.partitions?.[category];
      if (!partition) throw new Error(`${draft.event.type}: category ${category} needs a partition`);
      return partition;
    }
  }
};

/** Seals a planned event under the keys of the session, which are in the order of its blocks. The result is the event's `data`. */
export const sealEvent = (
  planned: PlannedEvent,
  eventId: EventId,
  stream: StreamName,
  session: SealingSession,
  keys: readonly ScopeKey[],
): Record<string, unknown> => {
  if (planned.blocks.length === 0) return planned.clear;
  const sealed: Record<ScopeId, string> = {};
  planned.blocks.forEach((block, index) => {
    const key = keys[index];
    if (!key) throw new Error('the vault gave fewer keys than were asked for');
    // Two slots of one owner and category have one key, and the second block would take the place of the first.
    if (key.scopeId in sealed) throw new Error(`${planned.draft.event.type}: two blocks under one key`);
    const aad = associatedData({ eventId, type: planned.draft.event.type, stream }, key.scopeId, block.label);
    const plaintext = Buffer.from(JSON.stringify(block.values));
    sealed[key.scopeId] = encodeBlock(block.label, session.seal(key, plaintext, aad));
    plaintext.fill(0);
  });
  return { ...planned.clear, $sealed: sealed };
};
