import type { Opened, OwnerRef } from '#kernel';
import type { Category } from './categories.js';

/** Where a value came from; profiles may be fed by `volunteered` only (statement, S7–S8). */
export type Provenance = 'volunteered' | 'contract-required' | 'observed' | 'derived' | 'register';

declare const type: unique symbol;
interface Typed<T> {
  readonly [type]?: T;
}
/** A fact about the business. `why` says why it identifies nobody; it stands in the data map. */
export interface PlainField<T> extends Typed<T> {
  readonly kind: 'plain';
  readonly why: string;
}
/** The stream's own person or company: the only place where an owner's id stands in clear. */
export interface SubjectField<T> extends Typed<T> {
  readonly kind: 'subject';
}
/** The id of another owner, sealed inside the block of (owner slot, category). */
export interface ReferenceField<T> extends Typed<T> {
  readonly kind: 'reference';
  readonly category: Category;
  readonly owner: string;
}
/** A personal value, sealed inside the block of (owner slot, category). */
export interface PersonalField<T> extends Typed<T> {
  readonly kind: 'personal';
  readonly category: Category;
  readonly owner: string;
  readonly source: Provenance;
}
export type Field<T = unknown> = PlainField<T> | SubjectField<T> | ReferenceField<T> | PersonalField<T>;
export type Fields = Readonly<Record<string, Field>>;

/** The slot of the stream's own person or company. */
export const OWN = 'own';

export const plain = <T>(why: string): PlainField<T> => ({ kind: 'plain', why });
export const subject = <T extends string>(): SubjectField<T> => ({ kind: 'subject' });
export const reference = <T>(category: Category, options: { owner?: string } = {}): ReferenceField<T> => ({
  kind: 'reference',
  category,
  owner: options.owner ?? OWN,
});
export const personal = <T>(
  category: Category,
  options: { owner?: string; source?: Provenance } = {},
): PersonalField<T> => ({
  kind: 'personal',
  category,
  owner: options.owner ?? OWN,
  source: options.source ?? 'observed',
});

/** What a writer passes. */
export type DraftData<F extends Fields> = {
  [K in keyof F]: F[K] extends Field<infer T> ? T : never;
};
/** What a reader gets: sealed fields are a union that must be handled. */
export type ReadData<F extends Fields> = {
  readonly [K in keyof F]: F[K] extends PlainField<infer T> | SubjectField<infer T>
    ? T
    : F[K] extends ReferenceField<infer T> | PersonalField<infer T>
      ? Opened<T>
      : never;
};

export interface DraftOptions {
  /** Who fills each owner slot beside OWN. A slot left out: its fields must all be null or absent, and no block is written. */
  readonly owners?: Readonly<Record<string, OwnerRef>>;
  /** Partitions of `given` categories. */
  readonly partitions?: Partial<Readonly<Record<Category, string>>>;
}

/** An event to be appended: plain data in, sealed on the way into the log. */
export interface Draft<F extends Fields = Fields> extends DraftOptions {
  readonly event: EventType<F>;
  readonly data: DraftData<F>;
}

export interface EventType<F extends Fields = Fields> {
  readonly type: string;
  readonly version: number;
  readonly fields: F;
  /** Old versions of the opened data, brought to today's shape when read. Index: version that is left. */
  readonly upcasts: Readonly<Record<number, (data: Record<string, unknown>) => Record<string, unknown>>>;
  of(data: DraftData<F>, options?: DraftOptions): Draft<F>;
}

/** Declares an event once; the compiler, the ledger, the start-up checks and the data map read it. */
export const event = <const F extends Fields>(
  name: string,
  version: number,
  fields: F,
  options: { upcasts?: EventType['upcasts'] } = {},
): EventType<F> => {
  const declared: EventType<F> = {
    type: name,
    version,
    fields,
    upcasts: options.upcasts ?? {},
    of: (data, draft = {}) => ({ event: declared, data, ...draft }),
  };
  return declared;
};
