import type { OwnerRef, ScopeId } from '#kernel';
import type { ClosedOwner, CustodianState, JournalEntry } from './custodian/custodian-state.js';
import { firstState } from './custodian/custodian-state.js';
import type { Remembered } from './older-custodian.js';
import { beyond } from './older-custodian.js';

const entry = (id: string, kind: JournalEntry['kind'], epoch: number) => ({ scopeId: id as ScopeId, kind, epoch });
const closed = (id: string, epoch: number) => ({ ...({ kind: 'subject', id } as OwnerRef), epoch }) as ClosedOwner;
const sealed = (epoch: number, destroyAt: string) => ({ epoch, sealedAt: '2026-01-01', destroyAt, confirmed: [] });

describe('what an older custodian lacks of what the vault remembers', () => {
  const older: CustodianState = {
    ...firstState('home', ['a'], { number: 0, epoch: 0 }),
    epochs: [1, 2, 4],
    shredded: [entry('known', 'erased', 2), entry('weaker', 'expired', 2), entry('trimmed-here', 'erased', 1)],
    closed: [closed('gone', 2)],
    retiring: [sealed(2, '2026-03-03')],
  };
  const remembered: Remembered = {
    shredded: [
      ...[entry('known', 'erased', 4), entry('weaker', 'erased', 4)],
      ...[entry('expired', 'expired', 3), entry('erased', 'erased', 4)],
    ],
    closed: [closed('gone', 4), closed('later', 4)],
    sealed: [sealed(1, '2026-02-02'), sealed(2, '2026-02-22'), sealed(3, '2026-02-23')],
  };

  it('is every tombstone and closed owner that it does not know, an erasure of what it knows as expired too', () => {
    const { shredded, closed: closedOwners } = beyond(older, remembered);
    expect(shredded).toEqual([
      ...[entry('weaker', 'erased', 4), entry('expired', 'expired', 3), entry('erased', 'erased', 4)],
    ]);
    expect(closedOwners).toEqual([closed('later', 4)]);
  });

  it('is the date of each root that came back with it, and no other root', () => {
    expect(beyond(older, remembered).sealed).toEqual([sealed(1, '2026-02-02')]);
  });
});
