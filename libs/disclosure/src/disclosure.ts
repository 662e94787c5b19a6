import { Injectable } from '@nestjs/common';
import type { Category, Fields, ReadData } from '#events';
import { Clock, currentContext, osloDay, withheld } from '#kernel';
import type { Opened, ScopeId, WithheldReason } from '#kernel';
import type { Envelope, OpenedEnvelope } from '#ledger';
import { Ledger } from '#ledger';
import type { ReadingState } from '#policy';
import { Policy, ReadingRules } from '#policy';

type SealedNames<F extends Fields> = {
  [K in keyof F]: F[K] extends { readonly kind: 'personal' | 'reference' } ? K : never;
}[keyof F];

/** The sealed fields of an event as this reader may see them. */
export type Disclosed<F extends Fields> = Pick<ReadData<F>, SealedNames<F> & keyof ReadData<F>>;

/**
 * Opens envelopes that read models keep, for the reader and the purpose of the context. The only way from a read model to a
 * personal value: what the policy does not give this role for this purpose reads as withheld (`not-allowed`), what is past
 * its maximum, retained or restricted as the reading rules say. Throws `vault-unavailable` and whatever else keeps it from
 * knowing: it never guesses.
 */
@Injectable()
export class Disclosure {
  constructor(
    private readonly ledger: Ledger,
    private readonly rules: ReadingRules,
    private readonly policy: Policy,
    private readonly clock: Clock,
  ) {}

  /**
   * In the order of the envelopes. `fields`: those wanted of the declarations that the envelopes belong to
   * (`PurchaseRecorded.fields`), or such as several declarations share.
   */
  async open<F extends Fields>(fields: F, envelopes: readonly Envelope[]): Promise<readonly Disclosed<F>[]> {
    if (envelopes.length === 0) return [];
    const { purpose = '' } = currentContext();
    const scopeIds = envelopes.flatMap((envelope) => Object.keys(envelope.sealed) as ScopeId[]);
    const [opened, states] = await Promise.all([
      this.ledger.open(envelopes),
      this.rules.statesOf(scopeIds, purpose, osloDay(this.clock.now())),
    ]);
    return opened.map((envelope) => this.#disclosed(fields, envelope, states));
  }

  /** Whether the reader of the context may see a category for the purpose stated. */
  allows(category: Category): boolean {
    const { purpose, roles } = currentContext();
    return purpose !== undefined && this.policy.mayRead(purpose, roles, category);
  }

  #disclosed<F extends Fields>(
    wanted: F,
    { fields, scopes }: OpenedEnvelope,
    states: ReadonlyMap<ScopeId, ReadingState>,
  ): Disclosed<F> {
    const disclosed: Record<string, Opened<unknown>> = {};
    for (const [name, field] of Object.entries(wanted)) {
      if (field.kind !== 'personal' && field.kind !== 'reference') continue;
      const scope = scopes.find(({ slot, category }) => slot === field.owner && category === field.category);
      const reason = this.#withheld(field.category, scope && states.get(scope.scopeId));
      const value = fields[name];
      if (value === undefined) throw new Error(`no field ${name} in the envelope that was opened`);
      // What is erased stays erased: the reader learns that it is gone, whatever the rules say about the scope.
      disclosed[name] = reason !== undefined && value.state === 'value' ? withheld(reason) : value;
    }
    return disclosed as Disclosed<F>;
  }

  #withheld(category: Category, state: ReadingState | undefined): WithheldReason | undefined {
    if (!this.allows(category)) return 'not-allowed';
    // No scope: the field was never given, and that it is absent is no secret.
    return state === undefined || state === 'open' ? undefined : state;
  }
}
