import { Injectable } from '@nestjs/common';
import type { Day, OwnerRef } from '#kernel';
import { Policy } from '#policy';
import { CurrentHoldings } from './current-holdings.js';
import { countByCategory } from './owner-expiry.js';
import type { DueNow } from './sweeps.js';

/** What is due on a day, and whose it is. */
export interface DueOfEverybody extends DueNow {
  readonly total: number;
  /** Whose keys a sweep would destroy. */
  readonly owners: readonly OwnerRef[];
  /** Erased persons of whom something retained or deferred has come to its end: approved with the erasure's plan. */
  readonly erased: readonly OwnerRef[];
  /** Owners of whom something was being destroyed when the work was cut off. */
  readonly unfinished: readonly OwnerRef[];
}

/** Goes through all holdings and says what is due. */
@Injectable()
export class Due {
  constructor(
    private readonly holdings: CurrentHoldings,
    private readonly policy: Policy,
  ) {}

  /** Throws `projection-behind`. What an erasure's plan has approved doesn't count towards what is unusual. */
  async on(day: Day): Promise<DueOfEverybody> {
    const read = await this.holdings.caughtUp();
    const [owners, erased, due]: [OwnerRef[], OwnerRef[], { category: string }[]] = [[], [], []];
    let [held, unapproved] = [0, 0];
    for await (const found of read.all(day)) {
      held += found.holdings.length;
      const expired = found.holdings.filter(({ assessment }) => assessment.state === 'due');
      if (expired.length === 0) continue;
      (found.erased ? erased : owners).push(found.owner);
      due.push(...expired.map(({ holding }) => holding));
      if (!found.erased) unapproved += expired.length;
    }
    const { version: policyVersion } = this.policy;
    const large = this.policy.sweepNeedsApproval(unapproved, held);
    const unfinished = await read.unfinished();
    const counts = { due: countByCategory(due), total: due.length, unapproved };
    return { ...counts, large, policyVersion, owners, erased, unfinished };
  }
}
