import type { Kysely } from 'kysely';
import { companyCard } from '#companies';
import { customerCard } from '#customers';
import type { Envelope, Ledger, Position } from '#ledger';
import type { ProjectionStates } from '#projections';
import { personEntries, wordsOfCard } from './entries.js';
import type { LookupEntry, Seeds } from './followed-index.js';

interface Card {
  readonly id: string;
  readonly envelope: Envelope;
}
const PAGE = 500;
/** Pages whose keys are asked for while one is taken. */
const OPENED_AHEAD = 2;
const FIRST = '00000000-0000-0000-0000-000000000000';

/** The sealed cards of the read models, from which an index of persons begins: a card instead of all that has ever happened to its record. */
export class Cards implements Seeds {
  constructor(
    private readonly readModels: Kysely<any>,
    private readonly states: ProjectionStates,
    private readonly ledger: Ledger,
  ) {}

  async begin(): Promise<{ position: Position; pages: AsyncIterable<readonly LookupEntry[]> } | undefined> {
    const checkpoints = [customerCard, companyCard].map((cards) => this.states.checkpointOf(cards, this.ledger));
    const [customers, companies] = await Promise.all(checkpoints);
    if (customers === undefined || companies === undefined) return undefined;
    // The rows are read after the checkpoints: they hold at least what these say.
    return { position: customers < companies ? customers : companies, pages: this.#pages() };
  }

  async *#pages(): AsyncGenerator<readonly LookupEntry[]> {
    const coming: Promise<readonly LookupEntry[]>[] = [];
    for await (const cards of this.#cards()) {
      const opened = this.#opened(cards);
      opened.catch(() => undefined); // it is told to whoever takes that page
      coming.push(opened);
      if (coming.length > OPENED_AHEAD) yield await coming.shift()!;
    }
    for (const opened of coming) yield await opened;
  }

  async *#cards(): AsyncGenerator<readonly Card[]> {
    const customers = customerCard.reader(this.readModels).selectFrom('customer_card');
    const companies = companyCard.reader(this.readModels).selectFrom('company_card');
    yield* paged((after) =>
      customers
        .select(['customer_id as id', 'envelope'])
        .where('customer_id', '>', after)
        .orderBy('customer_id')
        .limit(PAGE)
        .execute(),
    );
    yield* paged((after) =>
      companies
        .select(['company_id as id', 'envelope'])
        .where('company_id', '>', after)
        .orderBy('company_id')
        .limit(PAGE)
        .execute(),
    );
  }

  async #opened(cards: readonly Card[]): Promise<readonly LookupEntry[]> {
    const opened = await this.ledger.open(
      cards.map(({ envelope }) => envelope),
      personEntries.opens,
    );
    return cards.map(({ id, envelope }, index) => ({ id, words: wordsOfCard(envelope.type, opened[index]!.fields) }));
  }
}

async function* paged(read: (after: string) => Promise<readonly Card[]>): AsyncGenerator<readonly Card[]> {
  for (let after = FIRST; ;) {
    const cards = await read(after);
    if (cards.length > 0) yield cards;
    if (cards.length < PAGE) return;
    after = cards.at(-1)!.id;
  }
}
