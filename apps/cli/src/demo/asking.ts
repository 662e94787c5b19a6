import type { CustomerCardAnswer } from '#client';
import type { Leaving } from './business.js';
import { find } from './business.js';
import type { SampleCustomers } from './sample-customers.js';
import type { Stage } from './stage.js';
import type { Story } from './story.js';

const BY = 'month,itemType';

/** What the service desk and the analyst are told. */
export interface Told {
  readonly found: boolean;
  readonly card: CustomerCardAnswer;
  readonly purchases: string;
  readonly cases: string;
  /** The analyst's answer, letter by letter. */
  readonly sales: string;
}

/** Asks for the person in every way that there is, and for the figures. */
export const ask = async (stage: Stage, story: Story, leaving: Leaving, samples: SampleCustomers): Promise<Told> => {
  const { customerId } = leaving;
  const { name, phone, email } = samples.leaving;
  const { compliance, analyst } = stage.as;
  const about = { path: { id: customerId }, purpose: stage.purposes.rights };
  const card = (await compliance.get('/v1/customers/{id}', about)).body;
  const answers = await Promise.all([{ email }, { phone }, { name }].map((question) => find(stage, question)));
  const found = answers.map((items) => items.filter((item) => item.customerId === customerId).length);
  const purchases = JSON.stringify((await compliance.get('/v1/customers/{id}/purchases', about)).body);
  const cases = JSON.stringify((await compliance.get('/v1/customers/{id}/service-cases', about)).body);
  const sales = JSON.stringify((await analyst.get('/v1/analytics/sales', { query: { by: BY } })).body);
  story.show('POST /v1/customers/search, by e-mail, telephone and name', `finds ${found.join(', ')}`);
  story.show(`GET /v1/customers/${customerId}`, { name: card.name, phone: card.phone, email: card.email });
  story.show(`GET /v1/customers/${customerId}/purchases`, purchases);
  story.show(`GET /v1/customers/${customerId}/service-cases`, cases);
  story.show(`GET /v1/analytics/sales?by=${BY}   (the analyst)`, sales);
  return { found: found.some((hits) => hits > 0), card, purchases, cases, sales };
};

/** Reads the purchase for the books: where a law keeps the buyer, this purpose alone still does. */
export const askForTheBooks = async (stage: Stage, story: Story, { purchaseId }: Leaving): Promise<void> => {
  const purpose = stage.purposes.books;
  const { body } = await stage.as.compliance.get('/v1/purchases/{id}', { path: { id: purchaseId }, purpose });
  story.show(`GET /v1/purchases/${purchaseId}   (Makuler-Purpose: ${purpose})`, body.invoice ?? body);
};
