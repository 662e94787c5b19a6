import { ERASED, LOST, Personal, withheld } from '#kernel';
import { renderOpened } from './render-opened.js';

describe('rendering', () => {
  it('reveals values, deep inside of one another, and names the four other outcomes', () => {
    const body = {
      name: new Personal('Kari'),
      address: new Personal({ street: 'Vegen 1', at: new Date(0) }),
      erased: ERASED,
      lost: LOST,
      withheld: withheld('expired'),
      position: 12n,
      none: null,
    };
    expect(renderOpened([body])).toEqual({
      revealed: true,
      body: [
        {
          name: 'Kari',
          address: { street: 'Vegen 1', at: '1970-01-01T00:00:00.000Z' },
          erased: { $state: 'erased' },
          lost: { $state: 'lost' },
          withheld: { $state: 'withheld', reason: 'expired' },
          position: '12',
          none: null,
        },
      ],
    });
  });
  it('does not take an answer’s own state for that of a field', () => {
    const body = { state: 'erased', items: [{ state: 'withheld', reason: 'hold' }] };
    expect(renderOpened(body)).toEqual({ revealed: false, body });
  });
  it('counts what was never given as nothing revealed', () =>
    expect(renderOpened({ name: new Personal(null) })).toEqual({ revealed: false, body: { name: null } }));
});
