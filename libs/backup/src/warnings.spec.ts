import type { KnownSet } from './inventory.js';
import { backupWarnings } from './warnings.js';

const NOW = new Date('2026-11-23T12:00:00Z');
const inDays = (days: number) => new Date(NOW.getTime() + days * 86_400_000);
const set = (restorableUntil: KnownSet['restorableUntil'], more: Partial<KnownSet> = {}): KnownSet => ({
  ...{ setId: 'set', directory: '/sets/one', createdAt: NOW, position: '1', events: 1, epoch: 1, bytes: 1 },
  ...{ state: 'good', verifiedAt: NOW, drilledAt: undefined, restorableUntil },
  ...more,
});

describe('what is said about backups', () => {
  it.each([
    ['there is none', [], 'There is no backup'],
    ['all are expired', [set(undefined, { state: 'expired' })], 'There is no backup'],
    ['none was read back whole', [set('open', { verifiedAt: undefined })], 'There is no backup'],
    ['the last runs out', [set(inDays(1)), set(inDays(2.9))], 'until 2026-11-26T09:36:00.000Z only'],
    ['its roots are overdue', [set(inDays(-1))], 'only'],
  ])('warns when %s', (_, sets, words) => {
    expect(backupWarnings(sets, NOW)).toEqual([expect.stringContaining(words)]);
  });

  it.each([
    ['one is of the open epoch', [set('open'), set(inDays(1))]],
    ['the vault can’t be asked', [set('unknown')]],
    ['the last one has time', [set(inDays(3.1))]],
  ])('says nothing while %s', (_, sets) => {
    expect(backupWarnings(sets, NOW)).toEqual([]);
  });
});
