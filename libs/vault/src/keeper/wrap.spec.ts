import fc from 'fast-check';
import type { OwnerRef, ScopeId } from '#kernel';
import { newId } from '#kernel';
import { newKey } from '../aead.js';
import { bucketKeys, openScope, openTombstone, scopeIdentity, sealScope, sealTombstone, unwrap, wrap } from './wrap.js';

const keys = bucketKeys(newKey());
const owner = { kind: 'subject', id: newId() } as OwnerRef;
const record = { owner, category: 'contact', partition: '', stream: 'customer-1' };
const place = { bucketId: newId(), generation: 1, scopeId: newId<ScopeId>() };

describe('a wrap', () => {
  it('opens in no other place and as no other kind', () => {
    const key = newKey();
    const wrapped = wrap('bucket-key', key, newKey(), ['installation', 'bucket', 1, 1]);
    expect(unwrap('bucket-key', key, wrapped, ['installation', 'bucket', 1, 1])).toBeDefined();
    for (const other of [
      ['other', 'bucket', 1, 1],
      ['installation', 'other', 1, 1],
      ['installation', 'bucket', 2, 1],
      ['installation', 'bucket', 1, 2],
    ])
      expect(unwrap('bucket-key', key, wrapped, other)).toBeUndefined();
    expect(unwrap('epoch-key', key, wrapped, ['installation', 'bucket', 1, 1])).toBeUndefined();
    wrapped[1] = 1;
    expect(unwrap('epoch-key', key, wrapped, ['installation', 'bucket', 1, 1])).toBeUndefined();
  });
});

describe('a scope row', () => {
  it('opens only as what it is, where it is, in its generation', () => {
    const sealed = sealScope(keys, place, record, newKey());
    expect(openScope(keys, place, sealed)?.record).toEqual(record);
    expect(openTombstone(keys, place, sealed)).toBeUndefined();
    expect(openScope(keys, place, sealTombstone(keys, place, record))).toBeUndefined();
    expect(openScope(keys, { ...place, scopeId: newId<ScopeId>() }, sealed)).toBeUndefined();
    expect(openScope(keys, { ...place, generation: 2 }, sealed)).toBeUndefined();
    expect(openScope(keys, { ...place, bucketId: newId() }, sealed)).toBeUndefined();
    expect(openScope(bucketKeys(newKey()), place, sealed)).toBeUndefined();
  });

  it('has an identity that is equal for equal names in one bucket, and for no others', () => {
    const other = bucketKeys(newKey());
    const part = fc.string({ maxLength: 4 });
    fc.assert(
      fc.property(part, part, part, part, (c1, p1, c2, p2) => {
        const [a, b] = [
          { owner, category: c1, partition: p1 },
          { owner, category: c2, partition: p2 },
        ];
        expect(scopeIdentity(keys, a).equals(scopeIdentity(keys, b))).toBe(c1 === c2 && p1 === p2);
        expect(scopeIdentity(keys, a).equals(scopeIdentity(other, a))).toBe(false);
      }),
    );
  });
});
