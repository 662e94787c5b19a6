import { CATEGORIES } from './categories.js';
import type { EventType, Field } from './event.js';
import { OWN } from './event.js';

/** All event types that a program knows, by type name. Refuses at start what is declared twice or not classified. */
export class EventRegistry {
  readonly #types = new Map<string, EventType>();

  constructor(types: readonly EventType[]) {
    const problems: string[] = [];
    for (const declared of types) {
      if (this.#types.has(declared.type)) problems.push(`${declared.type} is declared twice`);
      problems.push(...problemsOf(declared));
      this.#types.set(declared.type, declared);
    }
    if (problems.length > 0) throw new Error(`The event declarations have problems:\n  ${problems.join('\n  ')}`);
  }

  get(type: string): EventType | undefined {
    return this.#types.get(type);
  }

  all(): readonly EventType[] {
    return [...this.#types.values()];
  }
}

const problemsOf = (declared: EventType): string[] => {
  const problems: string[] = [];
  const at = (name: string) => `${declared.type}.${name}`;
  if (!/^[a-z][a-z-]*\.[a-z][a-z-]*$/.test(declared.type))
    problems.push(`${declared.type}: a type is written context.past-tense`);
  const subjects = Object.values(declared.fields).filter((f) => f.kind === 'subject');
  if (subjects.length > 1) problems.push(`${declared.type}: an event stands in the stream of one subject at most`);
  for (const [name, field] of Object.entries(declared.fields)) {
    if (name.startsWith('$')) problems.push(`${at(name)}: names with $ belong to the envelope`);
    if (field.kind === 'plain' && field.why.trim().length < 10)
      problems.push(`${at(name)}: say why it identifies nobody`);
    if ((field.kind === 'personal' || field.kind === 'reference') && !(field.category in CATEGORIES))
      problems.push(`${at(name)}: unknown category ${field.category}`);
    if ((field.kind === 'personal' || field.kind === 'reference') && field.owner === OWN && subjects.length === 0)
      problems.push(`${at(name)}: has no owner; name a slot, or declare the stream's subject()`);
  }
  for (let from = 1; from < declared.version; from++)
    if (!declared.upcasts[from]) problems.push(`${declared.type}: version ${from} has no upcast`);
  return problems;
};

/** One field of the data map: what is stored, in which class, why. */
export interface DataMapEntry {
  readonly event: string;
  readonly field: string;
  readonly kind: Field['kind'];
  readonly category?: string;
  readonly owner?: string;
  readonly source?: string;
  readonly why?: string;
}

/** Every field of every event, as declared: the raw material of the data map and of the article 30 record. */
export const dataMapOf = (registry: EventRegistry): readonly DataMapEntry[] =>
  registry.all().flatMap((declared) =>
    Object.entries(declared.fields).map(([name, field]): DataMapEntry => {
      const base = { event: declared.type, field: name, kind: field.kind };
      switch (field.kind) {
        case 'plain':
          return { ...base, why: field.why };
        case 'subject':
          return base;
        case 'reference':
          return { ...base, category: field.category, owner: field.owner };
        case 'personal':
          return { ...base, category: field.category, owner: field.owner, source: field.source };
      }
    }),
  );
