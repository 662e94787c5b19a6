import { sealedLines } from '../commands/seal-epoch.command.js';
import { describeEpochs } from './epochs.js';

const report = {
  ...{ current: 3, openedAt: '2026-06-03T00:00:00.000Z', sealing: false, sealNeeded: true },
  ...{ sealDueAt: '2026-06-04T00:00:00.000Z', nextSealAt: '2026-06-04T00:00:00.000Z' },
  retiring: [
    {
      ...{ epoch: 2, sealedAt: '2026-06-03T00:00:00.000Z', destroyAt: '2026-07-03T00:00:00.000Z' },
      outstanding: ['/mirrors/a', '/mirrors/b'],
    },
  ],
  lost: [],
};

describe('epochs in words', () => {
  it('say which is in force, how old, and until when old backups open', () => {
    const { lines, warnings } = describeEpochs(report, new Date('2026-06-03T12:00:00Z'));
    expect(lines).toEqual([
      'epoch 3, opened 12 h ago; next seal by 2026-06-04T00:00:00.000Z',
      'epoch 2: old backups of the vault open until 2026-07-03T00:00:00.000Z',
    ]);
    expect(warnings).toEqual([]);
  });

  it('warn of roots that should be gone, naming the mirrors', () => {
    const { warnings } = describeEpochs(
      { ...report, retiring: [{ ...report.retiring[0]!, outstanding: ['/mirrors/b'] }] },
      new Date('2026-07-03T03:00:00Z'),
    );
    expect(warnings).toEqual([expect.stringMatching(/^The roots of epoch 2 .* \/mirrors\/b has not confirmed/)]);
    const soon = describeEpochs(report, new Date('2026-07-03T01:00:00Z'));
    expect(soon.warnings).toEqual([]);
  });

  it('name those whose roots went with a lost custodian', () => {
    const { lines } = describeEpochs({ ...report, retiring: [], lost: [1, 2] }, new Date('2026-06-03T12:00:00Z'));
    expect(lines.at(-1)).toBe('epoch 1, 2: the roots went with a lost custodian, and nobody has seen them destroyed');
  });

  it('say what a seal did, and what it did not', () => {
    const done = { epoch: 4, sealed: true, rotated: 2, rewrapped: 5, destroyAt: '2026-07-04T00:00:00.000Z' };
    expect(sealedLines(done).join('\n')).toMatch(
      /Epoch 3 is sealed[^]*2 buckets got a fresh key[^]*5 kept[^]*2026-07-04/,
    );
    expect(sealedLines({ ...done, sealed: false, destroyAt: null })).toHaveLength(1);
  });
});
