import type { GateFacts } from './gate-judgement.js';
import { judge, judgeForgotten } from './gate-judgement.js';
import type { LogCheckpoint } from './log-witness.js';

const checkpoint = (over: Partial<LogCheckpoint> = {}): LogCheckpoint => ({
  ...{ sequence: 100, link: 'aa', position: '7000', at: '2026-11-23T00:00:00Z', signature: 's' },
  ...{ installation: 'home', incarnation: 'first', mintSequence: 40, custodianNumber: 7, epoch: 3 },
  ...over,
});
const older = checkpoint({ sequence: 60, link: '99', mintSequence: 30, custodianNumber: 5 });

/** A system that fits: everything below changes one thing about it. */
const FITTING: GateFacts = {
  log: {
    checkpoints: [checkpoint(), older],
    headSequence: 110,
    incarnations: new Map([['first', 44]]),
    forgot: [],
  },
  vault: {
    installation: 'home',
    custodianNumber: 8,
    epoch: 3,
    currentEpoch: 3,
    incarnations: new Map([['first', 44]]),
  },
  custodian: {
    installation: 'home',
    number: 8,
    founded: true,
    epochs: [2, 3],
    checkpoint: { sequence: 100, link: 'aa' },
  },
  handedOut: new Map(),
};
const EMPTY_LOG: GateFacts['log'] = { checkpoints: [], headSequence: 0, incarnations: new Map(), forgot: [] };
const FIRST_START: GateFacts = { log: EMPTY_LOG, vault: undefined, custodian: undefined, handedOut: new Map() };

type Change = (facts: GateFacts) => Partial<GateFacts>;
const vault =
  (change: Partial<NonNullable<GateFacts['vault']>>): Change =>
  ({ vault: present }) => ({ vault: { ...present!, ...change } });
const custodian =
  (change: Partial<NonNullable<GateFacts['custodian']>>): Change =>
  ({ custodian: present }) => ({ custodian: { ...present!, ...change } });
const log =
  (change: Partial<GateFacts['log']>): Change =>
  ({ log: present }) => ({ log: { ...present, ...change } });
const verdictOf = (...changes: Change[]) =>
  judge(changes.reduce<GateFacts>((facts, change) => ({ ...facts, ...change(facts) }), FITTING));

describe('the gate', () => {
  it('opens for what fits, and for a first start', () => {
    expect(judge(FITTING)).toBeUndefined();
    expect(judge(FIRST_START)).toBeUndefined();
    const founding = { installation: 'home', number: 1, founded: false, epochs: [1], checkpoint: undefined };
    expect(judge({ ...FIRST_START, custodian: founding })).toBeUndefined();
  });

  const FITS: [string, ...Change[]][] = [
    ['a vault that has made keys which no event names', vault({ incarnations: new Map([['first', 99]]) })],
    ['a custodian that the last checkpoint has not reached', custodian({ checkpoint: { sequence: 60, link: '99' } })],
    ['a custodian that was never given a checkpoint', custodian({ checkpoint: undefined })],
    [
      'a vault that was restored since, with all keys of the life before',
      vault({
        incarnations: new Map([
          ['first', 44],
          ['second', 44],
        ]),
      }),
    ],
    ['an older vault whose root survives', vault({ epoch: 2 })],
    ['a running vault with all that was handed out', () => ({ handedOut: new Map([['first', 44]]) })],
  ];
  it.each(FITS)('opens for %s', (_, ...changes) => expect(verdictOf(...changes)).toBeUndefined());

  const REFUSED: [string, string, boolean, RegExp, ...Change[]][] = [
    [
      'an empty database',
      'database-empty',
      true,
      /epoch 2 or later, incarnation first, with at least 44/,
      () => ({ vault: undefined }),
    ],
    [
      'a sealed log with nothing beside it',
      'lost',
      true,
      /neither a custodian/,
      () => ({ vault: undefined, custodian: undefined }),
    ],
    [
      'a sealed log that nobody has witnessed, with nothing beside it',
      'lost',
      true,
      /neither a custodian/,
      () => ({ vault: undefined, custodian: undefined }),
      log({ checkpoints: [] }),
    ],
    [
      'a log of which only a checkpoint is known, with nothing beside it',
      'lost',
      true,
      /neither a custodian/,
      () => ({ vault: undefined, custodian: undefined }),
      log({ checkpoints: [checkpoint()], incarnations: new Map() }),
    ],
    ['a vault without any custodian', 'lost', true, /No mirror/, () => ({ custodian: undefined })],
    ['a custodian without any root', 'lost', true, /No mirror/, custodian({ epochs: [] })],
    [
      'a custodian older than the vault',
      'behind',
      true,
      /state 8, and the vault has worked with state 9/,
      vault({ custodianNumber: 9 }),
    ],
    [
      'a custodian older than a vault that is itself older than the log',
      'behind',
      false,
      /state 8/,
      vault({ custodianNumber: 9, incarnations: new Map([['first', 43]]) }),
    ],
    [
      'a custodian older than a vault of an epoch before the log’s',
      'behind',
      false,
      /state 8/,
      vault({ custodianNumber: 9, epoch: 2, currentEpoch: 2 }),
    ],
    [
      'a custodian older than a vault whose database went back as well',
      'behind',
      false,
      /state 8/,
      vault({ custodianNumber: 9 }),
      () => ({ handedOut: new Map([['first', 45]]) }),
    ],
    [
      'a custodian older than a vault in which an epoch is being sealed',
      'behind',
      true,
      /state 8/,
      vault({ custodianNumber: 9, epoch: 2 }),
    ],
    [
      'a custodian from before the epoch that the vault is sealing for',
      'lost',
      true,
      /epoch 3 this older copy has no root/,
      vault({ custodianNumber: 9, epoch: 2 }),
      custodian({ epochs: [2] }),
    ],
    [
      'a custodian from before the vault’s epoch',
      'lost',
      true,
      /state 8.*epoch 3 this older copy has no root/,
      vault({ custodianNumber: 9 }),
      custodian({ epochs: [1, 2] }),
    ],
    [
      'a custodian older than the log',
      'behind',
      true,
      /state 6, and the log has seen state 7/,
      vault({ custodianNumber: 6 }),
      custodian({ number: 6 }),
    ],
    [
      'a log shorter than the custodian knows',
      'behind',
      true,
      /ends at event 110.*event 150: 40 events are missing/,
      custodian({ checkpoint: { sequence: 150, link: 'cc' } }),
    ],
    ['a log that is all gone', 'behind', true, /100 events are missing/, () => ({ log: EMPTY_LOG })],
    [
      'a log with another past',
      'behind',
      true,
      /not the one.*tampering/,
      custodian({ checkpoint: { sequence: 100, link: 'bb' } }),
    ],
    [
      'a log whose checkpoint was cut out',
      'behind',
      true,
      /not the one.*tampering/,
      custodian({ checkpoint: { sequence: 80, link: 'bb' } }),
    ],
    ['a vault under destroyed roots', 'stale', true, /epoch 1, of which no root exists/, vault({ epoch: 1 })],
    [
      'a vault older than the last events',
      'stale',
      true,
      /44 keys made, and this vault knows the first 43/,
      vault({ incarnations: new Map([['first', 43]]) }),
    ],
    [
      'a vault older than the last checkpoint',
      'stale',
      true,
      /40 keys made, and this vault knows the first 39/,
      vault({ incarnations: new Map([['first', 39]]) }),
      log({ incarnations: new Map() }),
    ],
    [
      'a vault from before the last restore',
      'stale',
      true,
      /incarnation second, which this one does not know/,
      log({
        incarnations: new Map([
          ['second', 45],
          ['first', 44],
        ]),
      }),
    ],
    [
      'a vault from before a restore after which no key was made',
      'stale',
      true,
      /incarnation second, which this one does not know/,
      log({ incarnations: new Map([['second', 0]]) }),
    ],
    [
      'a vault that knows an earlier life too little',
      'stale',
      true,
      /44 keys/,
      vault({
        incarnations: new Map([
          ['first', 41],
          ['second', 90],
        ]),
      }),
    ],
    [
      'a database that went back under the running vault',
      'stepped-back',
      true,
      /running/,
      () => ({ handedOut: new Map([['first', 45]]) }),
    ],
    [
      'a database that went back to before the running life',
      'stepped-back',
      true,
      /running/,
      () => ({ handedOut: new Map([['second', 0]]) }),
    ],
  ];
  it.each(REFUSED)('stays closed for %s: %s', (_, state, acceptable, why, ...changes) => {
    const verdict = verdictOf(...changes);
    expect(verdict).toMatchObject({ state, acceptable });
    expect(`${verdict?.why} ${verdict?.wayOut}`).toMatch(why);
    // Whoever may not accept is not told of accepting.
    expect(/\/v1\/vault\/losses/.test(verdict!.wayOut) || state === 'database-empty').toBe(acceptable);
  });

  it('says which backup would do', () => {
    expect(verdictOf(vault({ epoch: 1 }))?.demands).toEqual({ incarnation: 'first', mintSequence: 44, epoch: 2 });
    expect(
      verdictOf(
        log({
          incarnations: new Map([
            ['second', 45],
            ['first', 44],
          ]),
        }),
      )?.demands,
    ).toEqual({
      ...{ incarnation: 'second', mintSequence: 45, epoch: 2 },
    });
  });

  it('names the events that are missing', () => {
    expect(verdictOf(custodian({ checkpoint: { sequence: 111, link: 'cc' } }))?.missing).toEqual({
      from: 111,
      to: 111,
    });
  });

  it('tells a log that is another from one that is merely shorter', () => {
    const another = verdictOf(custodian({ checkpoint: { sequence: 100, link: 'bb' } }));
    expect(another).toMatchObject({ doubt: 'possible-tampering', missing: { from: 61, to: 100 } });
    const grown = verdictOf(custodian({ checkpoint: { sequence: 110, link: 'bb' } }));
    expect(grown).toMatchObject({ doubt: 'possible-tampering', missing: { from: 101, to: 110 } });
    expect(verdictOf(custodian({ checkpoint: { sequence: 150, link: 'bb' } }))?.doubt).toBeUndefined();
  });

  it('tells a custodian that is older from one that is all gone', () => {
    const older = [vault({ custodianNumber: 9 }), custodian({ epochs: [1, 2] })] as const;
    expect(verdictOf(...older)).toMatchObject({ state: 'lost', doubt: 'older-custodian' });
    expect(verdictOf(older[0])).toMatchObject({ state: 'behind', doubt: 'older-custodian' });
    expect(verdictOf(custodian({ epochs: [] }))?.doubt).toBeUndefined();
  });

  it('lets a drill have an older log', () => {
    const change = custodian({ checkpoint: { sequence: 150, link: 'cc' } });
    expect(verdictOf(change, () => ({ olderLogExpected: true }))).toBeUndefined();
  });

  it.each([
    ['vault', vault({ installation: 'another' })],
    ['custodian', custodian({ installation: 'another' })],
    ['log', log({ checkpoints: [checkpoint({ installation: 'another' }), older] })],
    [
      'log, beside an empty database',
      (facts: GateFacts) => ({
        vault: undefined,
        ...log({ checkpoints: [checkpoint({ installation: 'another' })] })(facts),
      }),
    ],
  ] satisfies [string, Change][])('has no way out for the %s of another installation', (_, change) => {
    expect(() => verdictOf(change)).toThrow(expect.objectContaining({ reason: 'foreign' }));
  });

  it('stays closed while somebody is there whom the log names as forgotten', () => {
    expect(judgeForgotten(0)).toBeUndefined();
    expect(judgeForgotten(1)).toMatchObject({ state: 'behind', acceptable: false });
  });
});
