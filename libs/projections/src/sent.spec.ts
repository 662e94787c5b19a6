import type { RecordedEvent } from '#ledger';
import { Sent } from './sent.js';

const event = (type: string) => ({ type }) as RecordedEvent;

describe('statements that were sent without waiting', () => {
  it('are all under way before the first is answered, in their order', async () => {
    const sent = new Sent();
    const asked: string[] = [];
    const answers: (() => void)[] = [];
    const query = (name: string) => ({
      execute: () => (asked.push(name), new Promise<void>((resolve) => answers.push(resolve))),
    });
    sent.add(event('a'), [query('a1'), query('a2')]);
    sent.add(event('b'), query('b1'));
    sent.add(event('c'), undefined);
    expect(asked).toEqual(['a1', 'a2', 'b1']);
    let over = false;
    const settled = sent.settled().then(() => (over = true));
    answers.slice(0, 2).forEach((answer) => answer());
    await new Promise(setImmediate);
    expect(over).toBe(false);
    answers[2]!();
    await settled;
  });

  it('blame the first that failed, though those after it fail too', async () => {
    const sent = new Sent();
    const failing = (message: string) => ({ execute: () => Promise.reject(new Error(message)) });
    sent.add(event('a'), { execute: () => Promise.resolve() });
    sent.add(event('b'), failing('duplicate key'));
    sent.add(event('c'), failing('current transaction is aborted'));
    await expect(sent.settled()).rejects.toMatchObject({ event: { type: 'b' }, cause: { message: 'duplicate key' } });
    await sent.settled();
  });
});
