import type { Leaving } from './business.js';
import { find } from './business.js';
import type { SampleCustomers } from './sample-customers.js';
import type { Stage } from './stage.js';
import type { Story } from './story.js';

const SALES = '/v1/analytics/sales?by=month,itemType';

/** What the service desk and the analyst are told. */
export interface Told {
  readonly found: boolean;
  readonly card: Readonly<Record<string, unknown>>;
  readonly purchases: string;
  readonly cases: string;
  /** The analyst's answer, letter by letter. */
  readonly sales: string;
}

/** Asks for the person in every way that there is, and for the figures. */
export const ask = async (stage: Stage, story: Story, leaving: Leaving, samples: SampleCustomers): Promise<Told> => {
  const { customerId } = leaving;
  const { name, phone, email } = samples.leaving;
  const compliance = <T>(path: string) => stage.as.compliance.get<T>(path, { purpose: stage.purposes.rights });
  const card = (await compliance<Told['card']>(`/v1/customers/${customerId}`)).body;
  const answers = await Promise.all([{ email }, { phone }, { name }].map((question) => find(stage, question)));
  const found = answers.map((items) => items.filter((item) => item.customerId === customerId).length);
  const purchases = JSON.stringify((await compliance(`/v1/customers/${customerId}/purchases`)).body);
  const cases = JSON.stringify((await compliance(`/v1/customers/${customerId}/service-cases`)).body);
  const sales = JSON.stringify((await stage.as.analyst.get(SALES)).body);
  story.show('POST /v1/customers/search, by e-mail, telephone and name', `finds ${found.join(', ')}`);
  story.show(`GET /v1/customers/${customerId}`, { name: card['name'], phone: card['phone'], email: card['email'] });
  story.show(`GET /v1/customers/${customerId}/purchases`, purchases);
  story.show(`GET /v1/customers/${customerId}/service-cases`, cases);
  story.show(`GET ${SALES}   (the analyst)`, sales);
  return { found: found.some((hits) => hits > 0), card, purchases, cases, sales };
};

/** Reads the purchase for the books: where a law keeps the buyer, this purpose alone still does. */
export const askForTheBooks = async (stage: Stage, story: Story, { purchaseId }: Leaving): Promise<void> => {
  const purpose = stage.purposes.books;
  const { body } = await stage.as.compliance.get<{ invoice?: unknown }>(`/v1/purchases/${purchaseId}`, { purpose });
  story.show(`GET /v1/purchases/${purchaseId}   (Makuler-Purpose: ${purpose})`, body.invoice ?? body);
};
