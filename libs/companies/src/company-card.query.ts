import { Query, QueryHandler } from '@nestjs/cqrs';
import type { IQueryHandler } from '@nestjs/cqrs';
import { Kysely } from 'kysely';
import type { Disclosed } from '#disclosure';
import { Disclosure } from '#disclosure';
import type { CompanyId } from '#kernel';
import { MakulerError } from '#kernel';
import { companyCardFields } from './company.events.js';
import { companyCard } from './company-card.projection.js';

/** A company's card as a reader may see it. */
export interface CompanyCardView extends Disclosed<typeof companyCardFields> {
  readonly companyId: CompanyId;
  readonly registeredAt: Date;
  readonly changedAt: Date;
}

/** Asks for one company's card. Throws `not-found`. */
export class GetCompanyCard extends Query<{ readonly card: CompanyCardView; readonly revision: bigint }> {
  constructor(readonly companyId: CompanyId) {
    super();
  }
}

@QueryHandler(GetCompanyCard)
export class GetCompanyCardHandler implements IQueryHandler<GetCompanyCard> {
  constructor(
    private readonly readModels: Kysely<any>,
    private readonly disclosure: Disclosure,
  ) {}

  async execute({ companyId }: GetCompanyCard) {
    const row = await companyCard
      .reader(this.readModels)
      .selectFrom('company_card')
      .selectAll()
      .where('company_id', '=', companyId)
      .executeTakeFirst();
    if (!row) throw new MakulerError('not-found');
    const [fields] = await this.disclosure.open(companyCardFields, [row.envelope]);
    const { registered_at: registeredAt, changed_at: changedAt } = row;
    return { card: { companyId, ...fields!, registeredAt, changedAt }, revision: BigInt(row.revision) };
  }
}
