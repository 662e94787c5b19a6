import { AsyncLocalStorage } from 'node:async_hooks';
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import { Coalescer } from './coalescer.js';

describe('calls that are gathered', () => {
  const gathering = (atOnce?: number) => {
    const calls: { items: readonly number[]; end: PromiseWithResolvers<readonly string[]> }[] = [];
    const coalescer = new Coalescer<number, string>((items) => {
      const end = Promise.withResolvers<readonly string[]>();
      calls.push({ items, end });
      return end.promise;
    }, atOnce);
    const answer = (index: number) => calls[index]!.end.resolve(calls[index]!.items.map((item) => `<${item}>`));
    return { coalescer, calls, answer };
  };

  it('are one for each turn of the event loop, and everybody gets the own part', async () => {
    const { coalescer, calls, answer } = gathering();
    const first = [coalescer.ask(1), coalescer.ask(2)];
    await nextTurn();
    const second = coalescer.ask(3);
    await nextTurn();
    expect(calls.map(({ items }) => items)).toEqual([[1, 2], [3]]);
    answer(1);
    answer(0);
    expect(await Promise.all([...first, second])).toEqual(['<1>', '<2>', '<3>']);
  });

  it('wait while as many as may be are under way, and then go together', async () => {
    const { coalescer, calls, answer } = gathering(1);
    const first = coalescer.ask(1);
    await nextTurn();
    const later = [coalescer.ask(2), coalescer.ask(3)];
    await nextTurn();
    later.push(coalescer.ask(4));
    await nextTurn();
    expect(calls).toHaveLength(1);
    answer(0);
    await first;
    await nextTurn();
    expect(calls[1]!.items).toEqual([2, 3, 4]);
    answer(1);
    expect(await Promise.all(later)).toEqual(['<2>', '<3>', '<4>']);
  });

  it('are waited for where several are expected, for as long as it takes for most of them to come', async () => {
    const calls: (readonly number[])[] = [];
    let expected = 6;
    const coalescer = new Coalescer<number, number>(async (items) => (calls.push(items), items), 1, {
      expected: () => expected,
      withinMs: 60_000,
    });
    const asked = [coalescer.ask(1)];
    await pause(20);
    expect(calls).toEqual([]);
    expected = 0;
    asked.push(coalescer.ask(2));
    expect(await Promise.all(asked)).toEqual([1, 2]);
    expect(calls).toEqual([[1, 2]]);
  });

  it('are waited for no longer than was said, and not at all where few are expected', async () => {
    const calls: (readonly number[])[] = [];
    let expected = 1_000;
    const coalescer = new Coalescer<number, number>(async (items) => (calls.push(items), items), 1, {
      expected: () => expected,
      withinMs: 10,
    });
    expect(await coalescer.ask(1)).toBe(1);
    expected = 4;
    const next = coalescer.ask(2);
    await nextTurn();
    expect(calls).toEqual([[1], [2]]);
    expect(await next).toBe(2);
  });

  it('go on after one that failed, which fails those that were in it', async () => {
    const { coalescer, calls, answer } = gathering(1);
    const failing = expect(coalescer.ask(1)).rejects.toThrow('away');
    await nextTurn();
    const next = coalescer.ask(2);
    calls[0]!.end.reject(new Error('away'));
    await failing;
    await nextTurn();
    answer(1);
    expect(await next).toBe('<2>');
  });

  it('are not held back for ever by one that hangs; that counts once, however late it ends', async () => {
    const { coalescer, calls, answer } = gathering(1);
    const asked = [coalescer.ask(1)];
    await nextTurn();
    asked.push(coalescer.ask(2));
    for (let n = 0; n < 400 && calls.length < 2; n++) await pause(10);
    expect(calls[1]!.items).toEqual([2]);
    answer(0);
    await asked[0];
    asked.push(coalescer.ask(3));
    await nextTurn();
    expect(calls).toHaveLength(2);
    answer(1);
    await asked[1];
    await nextTurn();
    answer(2);
    expect(await Promise.all(asked)).toEqual(['<1>', '<2>', '<3>']);
  });

  it('are made on behalf of the first of those who ask, also when they had to wait', async () => {
    const asking = new AsyncLocalStorage<string>();
    const seen: unknown[] = [];
    const answers = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const coalescer = new Coalescer<number, number>(async (items) => {
      seen.push(asking.getStore());
      await answers[seen.length - 1]!.promise;
      return items;
    }, 1);
    const all = [asking.run('a', () => coalescer.ask(1))];
    await nextTurn();
    for (const who of ['b', 'c']) all.push(asking.run(who, () => coalescer.ask(2)));
    for (const { resolve } of answers) resolve();
    await Promise.all(all);
    expect(seen).toEqual(['a', 'b']);
  });
});
