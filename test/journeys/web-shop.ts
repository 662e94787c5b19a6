import type { CustomerBody, MakulerClient, PurchaseLineBody } from '#client';
import { ApiProblem } from '#client';

/** An order, as a shop has it. */
export interface Order {
  readonly number: string;
  /** RFC 3339. */
  readonly paidAt: string;
  readonly buyer: Pick<CustomerBody, 'name' | 'email' | 'phone' | 'address'>;
  readonly lines: readonly PurchaseLineBody[];
}

/** Stores an order. Call it again after a crash or a time-out: the keys are made from the order, so it is stored once. */
export const storeOrder = async (makuler: MakulerClient, { number, paidAt, buyer, lines }: Order) => {
  const customer = await makuler.post('/v1/customers', {
    idempotencyKey: `order-${number}-customer`,
    body: { relationship: 'customer', ...buyer },
  });
  const { customerId } = customer.body;
  const purchase = await makuler.post('/v1/purchases', {
    idempotencyKey: `order-${number}-purchase`,
    body: { customerId, purchasedAt: paidAt, currency: 'NOK', lines: [...lines] },
  });
  return { customerId, purchaseId: purchase.body.purchaseId, position: purchase.position };
};

/** Changes an address of e-mail. Who changed the card in between is not overwritten unseen: it is read again first. */
export const changeEmail = async (makuler: MakulerClient, customerId: string, email: string) => {
  const path = { id: customerId };
  for (;;) {
    const card = await makuler.get('/v1/customers/{id}', { path });
    try {
      return await makuler.patch('/v1/customers/{id}', { path, ifMatch: card.etag ?? '', body: { email } });
    } catch (error) {
      if (!(error instanceof ApiProblem) || error.code !== 'precondition-failed') throw error;
    }
  }
};

/** What a form in the shop says when an order is refused: the fields, in the API's words. Anything else is for us to mend. */
export const wrongFields = (error: unknown): readonly string[] => {
  if (error instanceof ApiProblem && error.code === 'invalid-input')
    return error.errors.map(({ path, message }) => `${path}: ${message}`);
  throw error;
};
