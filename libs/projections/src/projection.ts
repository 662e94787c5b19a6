import { createHash } from 'node:crypto';
import type { Kysely, Transaction } from 'kysely';
import type { EventType, Fields } from '#events';
import type { RecordedEvent } from '#ledger';
import type { ForgetRule, Forgotten } from './forgetting.js';
import type { RowWrite } from './row-writes.js';

export interface Compiled {
  readonly sql: string;
  readonly parameters: readonly unknown[];
}
/** A statement that was not executed: any Kysely query. */
export interface Statement {
  compile(): Compiled;
}
/** A row (`inserts`, `upserts`, `updates`), which goes with many others in one statement, or a statement by itself. */
export type Effect = RowWrite | Statement;
/** What a handler may give back: effects, which come out as if executed in this order, or nothing. */
export type Effects = Effect | readonly Effect[] | undefined | void;

/**
 * Turns one event into rows. Deterministic: what it writes follows from the event and the rows that are there, never from
 * a clock, a random number or another system, so that a rebuild gives the same rows. `db` is inside the batch's
 * transaction, and plain table names are the projection's own tables, live or being rebuilt.
 */
export type EventHandler<DB, F extends Fields = Fields> = (
  event: RecordedEvent<F>,
  db: Transaction<DB>,
) => Effects | Promise<Effects>;

/** Makes the rows of an owner what they would be if the whole log were read again now. */
export type ForgottenHandler<DB> = (forgotten: Forgotten, db: Transaction<DB>) => Effects | Promise<Effects>;

export interface ProjectionOptions<Personal extends boolean = boolean> {
  /** Raise it when handlers or tables change: the rows are then built anew beside the live ones and swapped. */
  readonly version: number;
  /** True when any column holds a sealed value, or an id that came out of one. Then it must say how it forgets. */
  readonly holdsPersonalData: Personal;
  /**
   * SQL that creates the tables, indexes and grants, without schema names: it runs inside the projection's own schema.
   * Nothing outside may hang on the tables (no view, no foreign key): a rebuild replaces them. No triggers, no defaults and no
   * columns that count by themselves: the rows of a batch are written together, and not in the order of the events.
   */
  readonly tables: string;
  /** Columns that every write of one row gives the same value, though they are not what it is found by: more can go together. */
  readonly fixed?: readonly string[];
}

interface Parts {
  readonly handlers: ReadonlyMap<string, readonly EventHandler<any, any>[]>;
  readonly any: readonly EventHandler<any>[];
  readonly forgetting: readonly (ForgottenHandler<any> | ForgetRule)[];
  readonly forgets: boolean;
}

/**
 * A read model: its tables, its version, what it does with each event, and how it forgets. Made by `projection()`.
 * A `Projection<DB, false>` has not said how it forgets; no runner takes it, neither by type nor when it starts.
 */
export class Projection<DB = any, Forgets extends boolean = true> {
  readonly kind = 'projection';
  /** Those of a type, and those of all; of every other type there are only the latter. */
  readonly #handlersOf: ReadonlyMap<string, readonly EventHandler<DB, any>[]>;

  /** @internal use `projection()` */
  constructor(
    readonly name: string,
    readonly options: ProjectionOptions,
    private readonly parts: Parts,
  ) {
    this.#handlersOf = new Map([...parts.handlers].map(([type, own]) => [type, [...own, ...parts.any]]));
  }

  /** Says what one event does. An event may have several handlers; they run in the order of declaration. */
  on<F extends Fields>(type: EventType<F>, handler: EventHandler<DB, F>): Projection<DB, Forgets> {
    const handlers = new Map(this.parts.handlers);
    handlers.set(type.type, [...(handlers.get(type.type) ?? []), handler]);
    return this.with({ handlers });
  }

  /** Sees every event, after the handlers of its type: for what follows from scopes and not from types. */
  onAny(handler: EventHandler<DB>): Projection<DB, Forgets> {
    return this.with({ any: [...this.parts.any, handler] });
  }

  /** Forgets by hand. Called once for each `subject.erased` and `scope.expired`, in the order of the log. */
  onForgotten(handler: ForgottenHandler<DB>): Projection<DB> {
    return this.with({ forgetting: [...this.parts.forgetting, handler], forgets: true });
  }

  /**
   * Forgets columns that came out of sealed fields: in the rows of the forgotten owner, a column becomes null when the
   * field that it came from now opens as erased, which is what the event's handler writes when it meets the erased field.
   */
  forgets<T extends keyof DB & string>(
    table: T,
    rule: {
      /** The column with the id of the owner whose keys seal the fields. */
      readonly owner: keyof DB[T] & string;
      /** The column with the event's envelope. */
      readonly envelope: keyof DB[T] & string;
      /** Column → field of the event in the envelope. */
      readonly clear: { readonly [C in keyof DB[T] & string]?: string };
    },
  ): Projection<DB> {
    const declared: ForgetRule = {
      table,
      owner: rule.owner,
      envelope: rule.envelope,
      clear: rule.clear as Record<string, string>,
    };
    return this.with({ forgetting: [...this.parts.forgetting, declared], forgets: true });
  }

  /** Every personal value is inside an envelope and no column was taken out of one: the destroyed key takes all of it along. */
  forgetsWithKey(): Projection<DB> {
    return this.with({ forgets: true });
  }

  /** Whether it has said how it forgets, or holds nothing to forget. */
  get saysHowItForgets(): Forgets {
    return (this.parts.forgets || !this.options.holdsPersonalData) as Forgets;
  }

  /** The tables as queries see them; the same name before, during and after a rebuild. */
  reader(db: Kysely<any>): Kysely<DB> {
    return db.withSchema(this.name);
  }

  /** The events whose fields its rows keep. One that looks at every event keeps only what all of them have in common. */
  get eventTypes(): readonly string[] {
    return [...this.parts.handlers.keys()];
  }

  /** @internal */
  handlersOf(type: string): readonly EventHandler<DB, any>[] {
    return this.#handlersOf.get(type) ?? this.parts.any;
  }

  /** @internal */
  get forgetting(): readonly (ForgottenHandler<DB> | ForgetRule)[] {
    return this.parts.forgetting;
  }

  /** Names what the rows depend on, as far as it can be seen: another fingerprint means another build of the rows. */
  get fingerprint(): string {
    const seen = [
      this.options.version,
      this.options.tables,
      [...this.parts.handlers.keys()].sort(),
      this.parts.any.length,
    ];
    return `${this.options.version}-${createHash('sha256').update(JSON.stringify(seen)).digest('hex').slice(0, 16)}`;
  }

  private with(changed: Partial<Parts>): Projection<DB, any> {
    return new Projection(this.name, this.options, { ...this.parts, ...changed });
  }
}

const RESERVED = new Set(['public', 'projections', 'information_schema']);

/**
 * Declares a read model. `name` is also the schema in which queries find its tables. With `holdsPersonalData: true` the
 * result is no complete projection until `onForgotten`, `forgets` or `forgetsWithKey` was called.
 * `DB` is Kysely's table interface, e.g. `projection<{ customer_card: CustomerCardRow }>('customer_card', …)`.
 */
export function projection<DB = any>(name: string, options: ProjectionOptions<true>): Projection<DB, false>;
export function projection<DB = any>(name: string, options: ProjectionOptions<false>): Projection<DB>;
export function projection<DB>(name: string, options: ProjectionOptions): Projection<DB, boolean> {
  if (!/^[a-z][a-z_]{1,40}$/.test(name) || name.includes('__') || name.startsWith('pg_') || RESERVED.has(name))
    throw new Error(
      `"${name}" cannot name a projection: lower-case letters and single underscores, no name of PostgreSQL's`,
    );
  if (!Number.isSafeInteger(options.version) || options.version < 1)
    throw new Error(`${name}: the version is a number from 1`);
  return new Projection<DB, boolean>(name, options, { handlers: new Map(), any: [], forgetting: [], forgets: false });
}
