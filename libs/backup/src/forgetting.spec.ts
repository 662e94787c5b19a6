import type { ScopeId } from '#kernel';
import type { StoredEvent } from '#ledger';
import { Forgetting } from './forgetting.js';

const event = (type: string, stream: string, data: object) => ({ type, stream, data }) as unknown as StoredEvent;
const erased = (stream: string, categories: object, retained: string[] = []) =>
  event('subject.erased', stream, { categories, retained });
const expired = (category: string, count: number) => event('scope.expired', 'customer-1', { category, count });
const scope = (id: string) => id as ScopeId;

describe('what a drill makes of keys that are gone', () => {
  it('is explained by what the log names, key by key and not block by block', () => {
    const forgetting = new Forgetting();
    for (const id of ['a', 'a', 'b']) forgetting.shredded(scope(id), 'contact');
    forgetting.shredded(scope('c'), 'billing');
    forgetting.heard(erased('customer-1', { contact: 2 }, ['billing']));
    forgetting.heard(expired('billing', 1));
    expect(forgetting.explain(new Map(), 0)).toEqual({
      ...{ shredded: 3, forgotten: 3, duringBackup: 0, since: 0, unexplained: 0 },
    });
  });

  it('is not explained by what was forgotten of another kind, and by more only as far as receipts and journal go', () => {
    const forgetting = new Forgetting();
    for (const id of ['a', 'b', 'c', 'd']) forgetting.shredded(scope(id), 'contact');
    forgetting.heard(expired('billing', 9));
    forgetting.heard(erased('customer-1', { contact: 1 }));
    expect(forgetting.explain(new Map([['billing', 9]]), 0)).toMatchObject({ forgotten: 1, unexplained: 3 });
    expect(forgetting.explain(new Map([['contact', 2]]), 0)).toMatchObject({ duringBackup: 1, unexplained: 2 });
    expect(forgetting.explain(new Map([['contact', 2]]), 2)).toMatchObject({
      duringBackup: 1,
      since: 2,
      unexplained: 0,
    });
    expect(forgetting.explain(new Map(), 99)).toMatchObject({ since: 3, unexplained: 0 });
  });

  it('finds what opens although its person was erased, but for what the plan kept and what came later', () => {
    const forgetting = new Forgetting();
    forgetting.opened('customer-1', 'contact');
    forgetting.opened('customer-1', 'billing');
    forgetting.opened('customer-2', 'contact');
    forgetting.opened('purchase-1', 'contact');
    forgetting.heard(erased('customer-1', { contact: 1, billing: 1 }, ['billing']));
    forgetting.opened('customer-1', 'contact');
    expect(forgetting.risen()).toBe(1);
    forgetting.heard(erased('customer-2', { purchase: 1 }));
    expect(forgetting.risen()).toBe(1);
  });
});
