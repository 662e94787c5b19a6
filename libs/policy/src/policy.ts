import type { Day, InputProblem, Role } from '#kernel';
import type { Category } from '#events';
import { endOfFiscalYear } from './calendar.js';
import type { CheckOptions } from './field-check.js';
import { checkFields, fieldsOf } from './field-check.js';
import type { Access, CategoryPolicy, Manifest, PolicyField, Purpose, RecordKind, RetentionRule } from './manifest.js';

/** Applied where a rule for `any` category is asked for. */
const names = (category: Category) => (rule: RetentionRule) => rule.category === category || rule.category === 'any';

/**
 * The policy in force: what a company may and must store, why, for whom, for how long. Immutable, and checked as a whole
 * before one exists (`loadPolicy`). Everything that depends on it asks here, so that no purpose, field or period stands in code.
 */
export class Policy {
  /** Declared version and the first 12 hex digits of the manifest's SHA-256: `1.0.0+3fa94c1b2d0e`. Goes into every event. */
  readonly version: string;
  readonly #purposes: ReadonlyMap<string, Purpose>;

  constructor(
    /** The manifest as loaded, frozen in depth: what `GET /v1/policy` shows. */
    readonly manifest: Manifest,
    /** Lower-case hex SHA-256 of the manifest file. */
    readonly contentHash: string,
  ) {
    this.version = `${manifest.version}+${contentHash.slice(0, 12)}`;
    this.#purposes = new Map(manifest.purposes.map((purpose) => [purpose.id, purpose]));
  }

  get controller(): Manifest['controller'] {
    return this.manifest.controller;
  }
  /** The closed list of purposes (statement S6). */
  get purposes(): readonly Purpose[] {
    return this.manifest.purposes;
  }
  get relationships(): Manifest['relationships'] {
    return this.manifest.relationships;
  }
  get calendar(): Manifest['calendar'] {
    return this.manifest.calendar;
  }
  get vouchers(): Manifest['vouchers'] {
    return this.manifest.vouchers;
  }
  get erasure(): Manifest['erasure'] {
    return this.manifest.erasure;
  }
  get formats(): Manifest['formats'] {
    return this.manifest.formats;
  }
  /** Groups of fewer persons than this are merged in what analysts see. */
  get minimumGroup(): number {
    return this.manifest.analytics.minimumGroup;
  }

  purpose(id: string): Purpose | undefined {
    return this.#purposes.get(id);
  }
  category(category: Category): CategoryPolicy | undefined {
    return this.manifest.categories[category];
  }

  /** Whether someone with one of these roles may read the category for this purpose. Unknown purpose or category: no. */
  mayRead(purpose: string, roles: Role | readonly Role[], category: Category): boolean {
    return this.#grants(purpose, roles).some((access) => access.read.includes(category));
  }
  /** Whether someone with one of these roles may write the category for this purpose. Unknown purpose or category: no. */
  mayWrite(purpose: string, roles: Role | readonly Role[], category: Category): boolean {
    return this.#grants(purpose, roles).some((access) => access.write.includes(category));
  }
  #grants(purpose: string, roles: Role | readonly Role[]): readonly Access[] {
    const held = typeof roles === 'string' ? [roles] : roles;
    return this.purpose(purpose)?.access.filter((access) => access.roles.some((role) => held.includes(role))) ?? [];
  }

  /** Every field that may stand in such a record; for a lead or customer with those of its company, under `company.`. */
  fieldsFor(kind: RecordKind): readonly PolicyField[] {
    return fieldsOf(this.manifest, kind);
  }
  /**
   * Unknown fields and missing ones, all at once; never a value. `input` is the request body as parsed. With
   * `{ partial: true }` (a PATCH) a required field may be left out, but not emptied.
   */
  checkFields(kind: RecordKind, input: unknown, options: CheckOptions = {}): readonly InputProblem[] {
    return checkFields(this.manifest, kind, input, options);
  }

  /** The rules that may apply to a category, inherited ones (`any`) included; `assess` and `planItem` choose among them. */
  readonly retention = (category: Category): readonly RetentionRule[] =>
    category in this.manifest.categories ? this.manifest.retention.filter(names(category)) : [];

  /** The last day of the fiscal year in which a day lies. */
  fiscalYearEnd(day: Day): Day {
    return endOfFiscalYear(day, this.manifest.calendar.fiscalYearEnd);
  }

  /** Whether a sweep that would shred `due` of `total` live scopes is unusually large, and waits for an approval. */
  sweepNeedsApproval(due: number, total: number): boolean {
    const { scopes, percent } = this.manifest.sweep;
    return due > Math.max(scopes, (total * percent) / 100);
  }
}
