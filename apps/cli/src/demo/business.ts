import type { CustomerCardAnswer, SearchBody } from '#client';
import type { SampleCustomer, SampleCustomers } from './sample-customers.js';
import { registrationOf } from './sample-customers.js';
import type { Stage } from './stage.js';
import type { Story } from './story.js';

/** The person whom the demo forgets, by the ids of all that was stored about them. */
export interface Leaving {
  readonly customerId: string;
  readonly purchaseId: string;
  readonly streams: readonly string[];
}

/** The sample customers come, buy and are served. Who is there from an earlier run is not registered again. */
export const doBusiness = async (stage: Stage, story: Story, samples: SampleCustomers): Promise<Leaving> => {
  story.chapter(`Customers come in (the policy of ${stage.policy.name}, version ${stage.policy.version})`);
  let registered = 0;
  for (const sample of samples.staying) {
    if ((await find(stage, { email: sample.email })).length > 0) continue;
    await buy(stage, await register(stage, sample), sample);
    registered += 1;
  }
  story.say(
    `${registered} sample customers registered with a purchase each, ${samples.staying.length - registered} were there.`,
  );
  const { leaving } = samples;
  const customerId = await register(stage, leaving);
  story.show('POST /v1/customers', registrationOf(leaving, stage.policy.asksForCompany), { customerId });
  const purchaseId = await buy(stage, customerId, leaving);
  story.show('POST /v1/purchases', leaving.purchase, { purchaseId });
  const serviceCaseId = await serve(stage, customerId, leaving);
  story.show(
    'POST /v1/service-cases, …/transitions',
    { description: leaving.repair },
    { serviceCaseId, status: 'closed' },
  );
  return {
    customerId,
    purchaseId,
    streams: [`customer-${customerId}`, `purchase-${purchaseId}`, `service-${serviceCaseId}`],
  };
};

/** Customers that the service desk finds. */
export const find = async (stage: Stage, question: SearchBody): Promise<readonly CustomerCardAnswer[]> => {
  const asked = { body: question, purpose: stage.purposes.helping };
  return (await stage.as['service-desk'].post('/v1/customers/search', asked)).body.items;
};

const register = async (stage: Stage, sample: SampleCustomer): Promise<string> => {
  const body = registrationOf(sample, stage.policy.asksForCompany);
  const { integrator } = stage.as;
  return (await integrator.post('/v1/customers', { body, purpose: stage.purposes.selling })).body.customerId;
};

const buy = async (stage: Stage, customerId: string, { purchase }: SampleCustomer): Promise<string> => {
  const today = new Date().toISOString().slice(0, 'YYYY-MM-DD'.length);
  const number = `D-${customerId.slice(-6)}`;
  const { body } = await stage.as.integrator.post('/v1/purchases', {
    body: {
      customerId,
      purchasedAt: today,
      currency: 'NOK',
      lines: [{ kind: 'product', ...purchase }],
      invoice: { number, date: today },
    },
    purpose: stage.purposes.selling,
  });
  return body.purchaseId;
};

const serve = async (stage: Stage, customerId: string, leaving: SampleCustomers['leaving']): Promise<string> => {
  const desk = stage.as['service-desk'];
  const purpose = stage.purposes.helping;
  const item = { itemType: leaving.purchase.itemType };
  const body = { customerId, kind: 'repair', item, description: leaving.repair } as const;
  const { serviceCaseId } = (await desk.post('/v1/service-cases', { body, purpose })).body;
  const path = { id: serviceCaseId };
  for (const to of ['inProgress', 'repaired', 'closed'] as const)
    await desk.post('/v1/service-cases/{id}/transitions', { path, body: { to }, purpose });
  return serviceCaseId;
};
