import type { EventType } from '#events';
import type { BlockLabel } from './block.js';

interface SealedFields {
  readonly all: readonly string[];
  readonly underLabel: ReadonlyMap<string, readonly string[]>;
}

const known = new WeakMap<EventType, SealedFields>();
const NONE: SealedFields = { all: [], underLabel: new Map() };
const keyOf = (slot: string, category: string): string => `${slot}/${category}`;

/** Worked out once for each type, because a rebuild asks for every event. */
const sealedOf = (declared: EventType | undefined): SealedFields => {
  if (!declared) return NONE;
  const found = known.get(declared);
  if (found) return found;
  const all: string[] = [];
  const underLabel = new Map<string, string[]>();
  for (const [name, field] of Object.entries(declared.fields)) {
    if (field.kind !== 'personal' && field.kind !== 'reference') continue;
    all.push(name);
    const key = keyOf(field.owner, field.category);
    underLabel.set(key, [...(underLabel.get(key) ?? []), name]);
  }
  const sealed = { all, underLabel };
  known.set(declared, sealed);
  return sealed;
};

/** The fields that only a block can hold. */
export const sealedFieldsOf = (declared: EventType | undefined): readonly string[] => sealedOf(declared).all;

/** The fields that the block of this label can hold. */
export const fieldsUnder = (declared: EventType | undefined, { slot, category }: BlockLabel): readonly string[] =>
  sealedOf(declared).underLabel.get(keyOf(slot, category)) ?? [];
