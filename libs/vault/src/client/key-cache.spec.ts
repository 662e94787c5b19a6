import { inspect } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { ScopeId, SubjectId } from '#kernel';
import { newKey } from '../aead.js';
import { KeyCache } from './key-cache.js';

const keyOf = (name: string) => ({
  ...{ scopeId: name as ScopeId, owner: { kind: 'subject', id: 'kari' as SubjectId } as const },
  ...{ category: 'contact', partition: '', stream: 'customer-kari' },
});
const isHeld = (cache: KeyCache, names: string) => [...names].filter((name) => cache.has(name as ScopeId)).join('');

describe('keys held by a process', () => {
  const holding = (capacity: number, names: string) => {
    const cache = new KeyCache(capacity);
    for (const name of names) cache.put(keyOf(name), newKey());
    return cache;
  };

  it('are as many as may be, and the least recently used goes first', () => {
    const cache = holding(3, 'abc');
    cache.get('a' as ScopeId);
    cache.put(keyOf('d'), newKey());
    expect(isHeld(cache, 'abcd')).toBe('acd');
    cache.drop('c' as ScopeId);
    for (const name of 'efg') cache.put(keyOf(name), newKey());
    expect(isHeld(cache, 'abcdefg')).toBe('efg');
  });

  it('go in the order of use however long it goes on, also after all were dropped', () => {
    const cache = holding(100, '');
    for (let round = 0; round < 3; round++) {
      const [used, gone] = [new Set<string>(), new Set<string>()];
      for (let n = 0; n < 5_000; n++) {
        const name = `key ${(n * n) % 401}`;
        if (!cache.get(name as ScopeId)) cache.put(keyOf(name), newKey());
        gone.delete(name);
        used.delete(name);
        used.add(name);
        const [oldest] = used;
        if (used.size > 100 && used.delete(oldest!)) gone.add(oldest!);
        expect(cache.size).toBe(used.size);
      }
      expect([...used].every((name) => cache.has(name as ScopeId))).toBe(true);
      expect([...gone].some((name) => cache.has(name as ScopeId))).toBe(false);
      cache.clear();
      expect(cache.size).toBe(0);
    }
  });

  it('take no more memory the more often they are used', () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const cache = holding(1_000, 'abcdefghij');
    const use = (times: number) => {
      for (let n = 0; n < times; n++) cache.get('abcdefghij'[n % 10] as ScopeId);
      collect();
      return process.memoryUsage().heapUsed;
    };
    const before = use(100_000);
    expect(use(1_000_000) - before).toBeLessThan(8 * 1024 * 1024);
  });

  it('leave neither a message nor this process with their bytes, and show them to nobody', () => {
    const cache = holding(2, '');
    const bytes = new Uint8Array(32).fill(7);
    const handle = cache.put(keyOf('a'), bytes);
    expect(bytes).toEqual(new Uint8Array(32));
    const held = cache.bytesOf(handle)!;
    expect(held).toEqual(new Uint8Array(32).fill(7));
    expect(inspect(handle, { showHidden: true, depth: 9 })).not.toContain('7, 7');
    expect(JSON.parse(JSON.stringify(handle))).toEqual(keyOf('a'));
    cache.drop('a' as ScopeId);
    expect(held).toEqual(new Uint8Array(32));
    expect(cache.bytesOf(handle)).toBeUndefined();
    expect(cache.bytesOf(keyOf('a'))).toBeUndefined();
  });

  it('keep their handle when they come again', () => {
    const cache = holding(2, '');
    const first = cache.put(keyOf('a'), newKey());
    expect(cache.put(keyOf('a'), newKey())).toBe(first);
  });
});
