import type { IQueryHandler } from '@nestjs/cqrs';
import { Query, QueryHandler } from '@nestjs/cqrs';
import { Kysely } from 'kysely';
import { company, companyStream } from '#companies';
import type { CustomerCardView } from '#customers';
import { customerCard, customerCardFields } from '#customers';
import { Disclosure } from '#disclosure';
import type { CompanyId, CustomerId, Opened } from '#kernel';
import { valueOf } from '#kernel';
import { Ledger } from '#ledger';
import { Lookup } from './lookup.js';
import { answers } from './words.js';

/** What is searched by; exactly one. Values as they are stored: a telephone number in E.164. */
export type CustomerQuestion = {
  readonly kind: 'email' | 'phone' | 'organisationNumber' | 'name';
  readonly value: string;
};

/** Candidates that are opened at most: a beginning of two letters may have thousands. */
const CANDIDATES = 500;

/** Finds customers. The answer holds only whom the opened card confirms, so a forgotten person is never found. Throws `lookup-warming`. */
export class SearchCustomers extends Query<readonly CustomerCardView[]> {
  constructor(
    readonly question: CustomerQuestion,
    readonly limit: number,
  ) {
    super();
  }
}

@QueryHandler(SearchCustomers)
export class SearchCustomersHandler implements IQueryHandler<SearchCustomers> {
  constructor(
    private readonly lookup: Lookup,
    private readonly ledger: Ledger,
    private readonly readModels: Kysely<any>,
    private readonly disclosure: Disclosure,
  ) {}

  async execute({ question, limit }: SearchCustomers): Promise<readonly CustomerCardView[]> {
    const { kind, value } = question;
    if (kind === 'organisationNumber') {
      const companies = await this.#companiesWith(value);
      const employees = companies.flatMap((id) => this.lookup.find('companyId', id, CANDIDATES));
      // Of a forgotten person the card holds no company any more, and of one who changed it another.
      const confirmed = ({ companyId }: CustomerCardView) => companies.some((id) => id === valueOf(companyId));
      return this.#cards([...new Set(employees)], confirmed, limit);
    }
    const confirmed = (card: CustomerCardView) => {
      const stored = valueOf(card[kind] as Opened<string | null>);
      return stored !== undefined && stored !== null && answers(kind, value, stored);
    };
    return this.#cards(this.lookup.find(kind, value, CANDIDATES), confirmed, limit);
  }

  async #companiesWith(organisationNumber: string): Promise<readonly CompanyId[]> {
    const found: CompanyId[] = [];
    for (const id of this.lookup.find('organisationNumber', organisationNumber) as CompanyId[]) {
      const { state } = await this.ledger.load(company, companyStream(id));
      const stored = state.status === 'known' ? valueOf(state.card.organisationNumber) : undefined;
      if (stored && answers('organisationNumber', organisationNumber, stored)) found.push(id);
    }
    return found;
  }

  async #cards(
    candidates: readonly string[],
    confirmed: (card: CustomerCardView) => boolean,
    limit: number,
  ): Promise<readonly CustomerCardView[]> {
    if (candidates.length === 0) return [];
    const rows = await customerCard
      .reader(this.readModels)
      .selectFrom('customer_card')
      .selectAll()
      .where('customer_id', 'in', candidates.slice(0, CANDIDATES))
      .execute();
    const opened = await this.disclosure.open(
      customerCardFields,
      rows.map(({ envelope }) => envelope),
    );
    return rows
      .map((row, index): CustomerCardView => {
        const { relationship, registered_at: registeredAt, changed_at: changedAt } = row;
        return { customerId: row.customer_id as CustomerId, relationship, ...opened[index]!, registeredAt, changedAt };
      })
      .filter(confirmed)
      .slice(0, limit);
  }
}
