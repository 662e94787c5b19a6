import { dataMapOf, event, EventRegistry, personal, plain, reference, subject } from '#events';
import { renderDataMap } from './data-map.js';
import { loadPolicy } from './load-policy.js';

const Bought = event('purchase.recorded', 1, {
  day: plain<string>('The day of a sale, shared by all sales of that day.'),
  buyerId: reference<string>('purchase', { owner: 'buyer' }),
  invoice: personal<string>('billing', { owner: 'buyer' }),
});
const Registered = event('customer.registered', 1, {
  customerId: subject<string>(),
  name: personal<string>('contact', { source: 'contract-required' }),
});
const entries = dataMapOf(new EventRegistry([Bought, Registered] as never));

describe('the data map', () => {
  it('says of every field why we have it, for how long, and where it lies', async () => {
    const policy = await loadPolicy('policy/jpi');
    const rows = renderDataMap(policy, entries, [{ table: 'customer_card', events: ['customer.registered'] }]);
    expect(rows.map(({ field, personal: is }) => [field, is])).toEqual([
      ['day', false],
      ['buyerId', true],
      ['invoice', true],
      ['customerId', true],
      ['name', true],
    ]);
    expect(rows[0]).toMatchObject({
      why: expect.stringContaining('shared'),
      purposes: [],
      storedIn: ['event log, in clear'],
    });
    expect(rows[2]).toMatchObject({
      ...{ category: 'billing', owner: 'buyer', purposes: ['bokforing'], basis: 'art6-1-c' },
      retention: [
        { rule: 'vouchers', minimum: 'P5Y', maximum: 'P5Y', law: 'Bokføringsloven § 13', controllersChoice: false },
      ],
      storedIn: ['event log, sealed under the key of its owner'],
    });
    expect(rows[4]?.retention.map(({ rule, controllersChoice }) => [rule, controllersChoice])).toEqual([
      ['leads', true],
      ['customers', false],
    ]);
    expect(rows[4]?.storedIn).toContain('read model customer_card');
    expect(rows[4]?.provenance).toBe('contract-required');
  });
  it('refuses a category that the policy does not know: nothing is stored without a purpose and an end', async () => {
    const policy = await loadPolicy('policy/jpi');
    const unknown = [{ event: 'a.b', field: 'x', kind: 'personal' as const, category: 'hobby' }];
    expect(() => renderDataMap(policy, unknown)).toThrow('a.b.x: the policy knows no category hobby');
  });
});
