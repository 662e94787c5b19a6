import { Query, QueryHandler } from '@nestjs/cqrs';
import type { IQueryHandler } from '@nestjs/cqrs';
import { Kysely } from 'kysely';
import { Disclosure } from '#disclosure';
import type { CustomerId, OwnerRef, PurchaseId } from '#kernel';
import { MakulerError } from '#kernel';
import { purchaseHistory } from './purchase-history.projection.js';
import type { PurchaseView } from './purchase-view.js';
import { ownersIn, purchaseViews } from './purchase-view.js';

/** Asks for one purchase. Throws `not-found`. */
export class GetPurchase extends Query<{ readonly purchase: PurchaseView; readonly about: readonly OwnerRef[] }> {
  constructor(readonly purchaseId: PurchaseId) {
    super();
  }
}

@QueryHandler(GetPurchase)
export class GetPurchaseHandler implements IQueryHandler<GetPurchase> {
  constructor(
    private readonly readModels: Kysely<any>,
    private readonly disclosure: Disclosure,
  ) {}

  async execute({ purchaseId }: GetPurchase) {
    const row = await purchaseHistory
      .reader(this.readModels)
      .selectFrom('purchase_history')
      .selectAll()
      .where('purchase_id', '=', purchaseId)
      .executeTakeFirst();
    if (!row) throw new MakulerError('not-found');
    const [purchase] = await purchaseViews(this.disclosure, [row]);
    return { purchase: purchase!, about: ownersIn(this.disclosure, [row]) };
  }
}

/** The page after this purchase, in the order of day and place in the log, newest first. */
export interface PurchasesAfter {
  readonly day: string;
  readonly position: string;
}

export interface PurchasePage {
  readonly items: readonly PurchaseView[];
  readonly next: PurchasesAfter | undefined;
  /** Whose data the page holds: for the traces. */
  readonly about: readonly OwnerRef[];
}

/** Asks for a customer's purchases, their own and those they made for a company; for bookkeeping also what only the law keeps. */
export class ListPurchases extends Query<PurchasePage> {
  constructor(
    readonly customerId: CustomerId,
    readonly limit: number,
    readonly after?: PurchasesAfter,
  ) {
    super();
  }
}

@QueryHandler(ListPurchases)
export class ListPurchasesHandler implements IQueryHandler<ListPurchases> {
  constructor(
    private readonly readModels: Kysely<any>,
    private readonly disclosure: Disclosure,
  ) {}

  async execute({ customerId, limit, after }: ListPurchases): Promise<PurchasePage> {
    let query = purchaseHistory
      .reader(this.readModels)
      .selectFrom('purchase_history')
      .selectAll()
      .where((row) =>
        row.or([
          ...(this.disclosure.allows('purchase')
            ? [row('buyer_id', '=', customerId), row('contact_id', '=', customerId)]
            : []),
          // A voucher outlives the rest: it leads to its buyer for those only who keep the books.
          ...(this.disclosure.allows('billing') ? [row('billed_id', '=', customerId)] : []),
        ]),
      );
    if (after)
      query = query.where((row) => row(row.refTuple('day', 'position'), '<', row.tuple(after.day, after.position)));
    const rows = await query
      .orderBy('day', 'desc')
      .orderBy('position', 'desc')
      .limit(limit + 1)
      .execute();
    const page = rows.slice(0, limit);
    const last = page.at(-1);
    return {
      items: await purchaseViews(this.disclosure, page),
      about: ownersIn(this.disclosure, page),
      next: rows.length > limit && last ? { day: last.day, position: last.position } : undefined,
    };
  }
}
