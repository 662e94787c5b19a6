import { randomBytes } from 'node:crypto';
import type { OwnerRef, ScopeId, SubjectId } from '#kernel';
import { newId, subjectOwner } from '#kernel';
import { KeyCache } from './key-cache.js';
import { SealingNames } from './sealing-names.js';

const request = (owner: OwnerRef, partition = '') => ({
  owner,
  category: 'purchase',
  partition,
  stream: `purchase-${partition}`,
});

describe('what a process may seal under without asking again', () => {
  const [kari, ola] = [subjectOwner(newId<SubjectId>()), subjectOwner(newId<SubjectId>())];
  const make = (capacity = 100) => {
    const cache = new KeyCache(100);
    const names = new SealingNames(cache, capacity);
    const learn = (wanted: ReturnType<typeof request>, era = names.era) => {
      const key = cache.put({ ...wanted, scopeId: newId<ScopeId>() }, randomBytes(32));
      names.remember([key], 'life', era);
      return key;
    };
    return { cache, names, learn };
  };

  it('is what the vault allowed, all of it or nothing', () => {
    const { names, learn } = make();
    const key = learn(request(kari));
    expect(names.find([request(kari)])).toEqual({ keys: [key], incarnation: 'life' });
    expect(names.find([request(kari), request(kari, 'p2')])).toBeUndefined();
    expect(names.find([{ ...request(kari), stream: 'purchase-other' }])).toBeUndefined();
  });

  it('ends with a fence of the owner, and of no other', () => {
    const { names, learn } = make();
    learn(request(kari));
    learn(request(ola));
    names.forget(kari);
    expect(names.find([request(kari)])).toBeUndefined();
    expect(names.find([request(ola)])).toBeDefined();
  });

  it('takes no answer from before a fence', () => {
    const { names, learn } = make();
    const { era } = names;
    names.forget(kari);
    learn(request(kari), era);
    expect(names.find([request(kari)])).toBeUndefined();
  });

  it('ends with the key, with the lease, and when it grows too large', () => {
    const { cache, names, learn } = make(2);
    const key = learn(request(kari));
    cache.drop(key.scopeId);
    expect(names.find([request(kari)])).toBeUndefined();
    learn(request(kari));
    names.clear();
    expect(names.find([request(kari)])).toBeUndefined();
    for (const partition of ['1', '2', '3']) learn(request(ola, partition));
    expect(names.find([request(ola, '1')])).toBeUndefined();
    expect(names.find([request(ola, '3')])).toBeDefined();
  });
});
