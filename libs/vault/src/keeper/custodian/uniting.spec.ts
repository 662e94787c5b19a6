import type { ScopeId, SubjectId } from '#kernel';
import { newId } from '#kernel';
import type { WitnessedCheckpoint } from '../../witness-contract.js';
import type { CustodianState, JournalEntry } from './custodian-state.js';
import { unite, withConfirmations } from './uniting.js';

const common: CustodianState = {
  ...{ format: 2, installation: 'i', phase: 'founded', number: 9, ancestors: [], mirrors: ['a', 'b'], epochs: [3, 4] },
  ...{ pending: [], shredded: [], closed: [], retiring: [], checkpoint: null, retiredMirrors: [] },
};
const entry = (kind: JournalEntry['kind'], epoch: number, scopeId = newId<ScopeId>()): JournalEntry => ({
  ...{ scopeId, kind, epoch },
});
const retiring = (epoch: number, confirmed: readonly string[] = [], destroyAt = '2026-02-01T00:00:00.000Z') => ({
  ...{ epoch, sealedAt: '2026-01-01T00:00:00.000Z', destroyAt, confirmed },
});
const checkpoint = (sequence: string): WitnessedCheckpoint => ({
  ...{ sequence, position: '1', hash: 'h', at: '2026-01-01T00:00:00.000Z', signature: 's' },
  ...{ incarnation: 'n', mintSequence: '1' },
});

describe('two branches of a custodian, united', () => {
  it('have every order, every shred at its strongest, and everybody who was closed', () => {
    const [order, scope] = [newId(), newId<ScopeId>()];
    const [ours, theirs, both] = [entry('expired', 3), entry('erased', 4), entry('expired', 4, scope)];
    const closed = (epoch: number, id = newId<SubjectId>()) => ({ kind: 'subject' as const, id, epoch });
    const [left, right, alone] = [closed(3), closed(4), closed(3)];
    const united = unite(
      {
        ...{ ...common, closed: [left, alone], shredded: [ours, both] },
        pending: [{ orderId: order, entries: [ours] }],
      },
      {
        ...{ ...common, closed: [right, { ...left, epoch: 4 }], shredded: [theirs, entry('erased', 3, scope)] },
        pending: [
          { orderId: order, entries: [theirs] },
          { orderId: 'their own', entries: [] },
        ],
      },
    );
    expect(new Set(united.shredded)).toEqual(new Set([ours, theirs, entry('erased', 4, scope)]));
    expect(united.pending).toEqual([
      { orderId: order, entries: [ours, theirs] },
      { orderId: 'their own', entries: [] },
    ]);
    expect(new Set(united.closed)).toEqual(new Set([{ ...left, epoch: 4 }, right, alone]));
  });

  it('are the same, whichever of them is ours', () => {
    const scope = newId<ScopeId>();
    const erased: CustodianState = { ...common, shredded: [entry('erased', 3, scope)], checkpoint: checkpoint('9') };
    const cutOff: CustodianState = { ...common, phase: 'founding', shredded: [entry('expired', 4, scope)] };
    for (const united of [unite(erased, cutOff), unite(cutOff, erased)]) {
      expect(united.shredded).toEqual([entry('erased', 4, scope)]);
      expect([united.phase, united.checkpoint]).toEqual(['founded', checkpoint('9')]);
    }
  });

  it('keep a destruction that either has begun, by the later date, and no epoch that ours has left behind', () => {
    const later = '2026-03-01T00:00:00.000Z';
    const united = unite(
      { ...common, retiring: [retiring(3, ['a'])], checkpoint: checkpoint('9') },
      {
        ...{ ...common, epochs: [2, 3, 4, 5], checkpoint: checkpoint('10') },
        retiring: [retiring(2, ['b']), { ...retiring(3, ['b'], later), sealedAt: later }, retiring(4)],
      },
    );
    expect(united.epochs).toEqual([3, 4, 5]);
    expect(united.retiring).toEqual([retiring(3, ['a', 'b'], later), retiring(4)]);
    expect(united.checkpoint).toEqual(checkpoint('10'));
  });
});

describe('confirmations', () => {
  it('are noted once, of enrolled mirrors, for epochs that are sealed', () => {
    const state = { ...common, retiring: [retiring(3, ['a'])] };
    const of = (epoch: number, ...ids: string[]) => new Map([[epoch, new Set(ids)]]);
    expect(withConfirmations(state, of(3, 'a', 'b', 'gone'))).toEqual({ retiring: [retiring(3, ['a', 'b'])] });
    for (const known of [of(3, 'a'), of(4, 'b'), of(3, 'gone')])
      expect(withConfirmations(state, known)).toBeUndefined();
  });
});
