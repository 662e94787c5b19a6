import type { Demands, MissingEvents, Refused } from './gate.js';
import { GateRefusal } from './gate.js';
import type { LogTestimony } from './log-witness.js';

/** What the vault's database says of itself. */
export interface VaultFacts {
  readonly installation: string;
  /** The highest number of a custodian's state that this database was ever committed with. */
  readonly custodianNumber: number;
  /** The lowest that anything here lies under. */
  readonly epoch: number;
  /** What the newest keys lie under. */
  readonly currentEpoch: number;
  /** Every life that this database knows, with the count of keys up to which it knows them. */
  readonly incarnations: ReadonlyMap<string, number>;
}

/** What the custodian says. */
export interface CustodianFacts {
  readonly installation: string;
  readonly number: number;
  /** Not yet, while a crash may have cut off the founding between custodian and database. */
  readonly founded: boolean;
  /** Epochs of which a root survives, ascending. */
  readonly epochs: readonly number[];
  readonly checkpoint: { readonly sequence: number; readonly link: string } | undefined;
}

/** Everything that the gate decides by. `undefined`: there is none, or it is empty. */
export interface GateFacts {
  readonly log: LogTestimony;
  readonly vault: VaultFacts | undefined;
  readonly custodian: CustodianFacts | undefined;
  /** Keys that this process has handed out, by incarnation: what the database under it must know for as long as it runs. */
  readonly handedOut: ReadonlyMap<string, number>;
  /** A drill restores a log that is meant to be older than the custodian. */
  readonly olderLogExpected?: boolean;
}

/**
 * Whether vault, custodian and log fit together: `undefined` when they do, otherwise what keeps the gate closed. Pure: the
 * same facts, the same verdict. Throws GateRefusal `foreign`, which has no way out but other places.
 *
 * The order matters. A custodian that is behind is found before a log that is, because what to accept is told by the
 * custodian; and nothing is said about keys before it is known that custodian and log are of this installation and whole.
 */
export const judge = (facts: GateFacts): Refused | undefined => {
  assertOneInstallation(facts);
  return (
    withoutDatabase(facts) ??
    withoutRoots(facts) ??
    custodianBehind(facts) ??
    logBehind(facts) ??
    underDestroyedRoots(facts) ??
    steppedBack(facts) ??
    stale(facts)
  );
};

/** After the journal was applied: somebody whom the log names as forgotten is still there. */
export const judgeForgotten = (stillThere: number): Refused | undefined =>
  stillThere === 0
    ? undefined
    : {
        ...behindCustodian(
          `The log names ${counted(stillThere, 'person or company', 'persons or companies')} as forgotten of whom neither the custodian's journal nor the vault knows it.`,
        ),
      };

const assertOneInstallation = ({ vault, custodian, log }: GateFacts): void => {
  const named = [
    ['database', vault?.installation],
    ['custodian', custodian?.installation],
    ['log', log.checkpoints[0]?.installation],
  ].filter((one): one is [string, string] => one[1] !== undefined);
  const [first, ...others] = named;
  const other = others.find(([, installation]) => installation !== first![1]);
  if (first && other)
    throw new GateRefusal(
      'foreign',
      `The vault's ${first[0]} and its ${other[0]} belong to two installations: one of the addresses is another's.`,
    );
};

const withoutDatabase = ({ vault, custodian, log }: GateFacts): Refused | undefined => {
  if (vault) return undefined;
  const isWritten = log.incarnations.size > 0 || log.checkpoints.length > 0;
  if (custodian?.founded)
    return {
      state: 'database-empty',
      why: 'The custodian has roots, and the vault has no keys: its database is empty.',
      wayOut: `${restoring(demandsOf(log, custodian))} With the wrong VAULT_DATABASE_URL, stop and set the right one.`,
      demands: demandsOf(log, custodian),
      acceptable: true,
    };
  return isWritten
    ? {
        state: 'lost',
        why: 'The log is sealed, and there is neither a custodian with roots nor a vault with keys.',
        wayOut: `Stop, bring back a mirror of the custodian (CUSTODIAN) and then the vault. ${WITHOUT_ROOTS}`,
        acceptable: true,
      }
    : undefined;
};

const withoutRoots = ({ vault, custodian }: GateFacts): Refused | undefined =>
  vault && (!custodian || custodian.epochs.length === 0)
    ? {
        state: 'lost',
        why: 'No mirror of the custodian has a root: what the vault keeps opens under nothing.',
        wayOut: `Stop and bring back a mirror of the custodian (CUSTODIAN). ${WITHOUT_ROOTS}`,
        acceptable: true,
      }
    : undefined;

const custodianBehind = (facts: GateFacts): Refused | undefined => {
  const { vault, custodian, log } = facts;
  if (!vault || !custodian) return undefined;
  const named = Math.max(0, ...log.checkpoints.map(({ custodianNumber }) => custodianNumber));
  if (custodian.number >= Math.max(vault.custodianNumber, named)) return undefined;
  const why =
    custodian.number < vault.custodianNumber
      ? `The custodian is at its state ${custodian.number}, and the vault has worked with state ${vault.custodianNumber}.`
      : `The custodian is at its state ${custodian.number}, and the log has seen state ${named}.`;
  if (!custodian.epochs.includes(vault.currentEpoch))
    return {
      state: 'lost',
      why: `${why} Of the vault's epoch ${vault.currentEpoch} this older copy has no root.`,
      wayOut: `Stop and bring back the newest mirror of the custodian (CUSTODIAN). ${WITHOUT_ROOTS}`,
      ...{ doubt: 'older-custodian', acceptable: true },
    };
  return isCurrent(facts) ? replaceableCustodian(why) : behindCustodian(why);
};

/** Whether the log knows of no newer vault than this one: then its tombstones are all that there are. */
const isCurrent = (facts: GateFacts): boolean =>
  !steppedBack(facts) &&
  !stale(facts) &&
  facts.vault!.currentEpoch >= Math.max(0, ...facts.log.checkpoints.map(({ epoch }) => epoch));

/** Beside an older vault nobody may accept it: what both do not know is who was forgotten. */
const behindCustodian = (why: string): Refused => ({
  state: 'behind',
  why: `${why} An older copy of the custodian does not know whose keys were destroyed since.`,
  wayOut: 'Stop, bring back the newest mirror of the custodian (CUSTODIAN), and start again.',
  acceptable: false,
});

/** Whether really everybody whom the log names is forgotten here is looked at before two persons are asked (older-custodian.ts). */
const replaceableCustodian = (why: string): Refused => ({
  ...behindCustodian(why),
  wayOut:
    'Stop, bring back the newest mirror of the custodian (CUSTODIAN), and start again. If none exists any more, an operator ' +
    "(POST /v1/vault/losses) and an approver accept the older one: the vault's tombstones are put into its journal. " +
    'Nobody whom vault or log names as forgotten comes back; of somebody whom only the lost mirrors named nothing is known.',
  ...{ doubt: 'older-custodian', acceptable: true },
});

const logBehind = ({ custodian, log, olderLogExpected }: GateFacts): Refused | undefined => {
  const known = custodian?.checkpoint;
  if (!known || olderLogExpected) return undefined;
  const same = log.checkpoints.find(({ sequence }) => sequence === known.sequence);
  if (same?.link === known.link) return undefined;
  if (same || log.headSequence >= known.sequence) return anotherLog(known.sequence, log);
  const missing = { from: log.headSequence + 1, to: known.sequence };
  return {
    state: 'behind',
    why: `The log ends at event ${log.headSequence}, and the custodian has seen event ${known.sequence}: ${counted(eventsIn(missing), 'event is', 'events are')} missing.`,
    wayOut: `Restore a newer copy of the log. ${ACCEPTING}`,
    missing,
    acceptable: true,
  };
};

/** Not merely shorter: with what it has grown by it is as long as what was witnessed, and it may have been changed. */
const anotherLog = (witnessed: number, { checkpoints }: LogTestimony): Refused => {
  const before = checkpoints.find(({ sequence }) => sequence < witnessed)?.sequence ?? 0;
  return {
    state: 'behind',
    why:
      `The log is not the one that the custodian witnessed up to event ${witnessed}: after event ${before} nothing shows ` +
      'that it is the same. An older copy was restored and has grown since, or the log was subject to tampering.',
    wayOut: `Run makuler verify-log, which names what does not fit, and restore the log. ${ACCEPTING}`,
    missing: { from: before + 1, to: witnessed },
    ...{ doubt: 'possible-tampering', acceptable: true },
  };
};

export const eventsIn = ({ from, to }: MissingEvents): number => to - from + 1;

const underDestroyedRoots = ({ vault, custodian, log }: GateFacts): Refused | undefined => {
  if (!vault || !custodian || custodian.epochs.includes(vault.epoch)) return undefined;
  const demands = demandsOf(log, custodian);
  return {
    state: 'stale',
    why: `The vault is of epoch ${vault.epoch}, of which no root exists any more; the oldest that opens is ${demands.epoch}.`,
    ...leadingOut(demands),
  };
};

const steppedBack = ({ vault, custodian, log, handedOut }: GateFacts): Refused | undefined => {
  const behind = [...handedOut].find(([incarnation, count]) => (vault?.incarnations.get(incarnation) ?? -1) < count);
  if (!behind) return undefined;
  const [incarnation, mintSequence] = behind;
  return {
    state: 'stepped-back',
    why: 'The database under the running vault became an earlier one: keys that were handed out are not in it.',
    ...leadingOut({ ...demandsOf(log, custodian), incarnation, mintSequence }),
  };
};

const stale = ({ vault, custodian, log }: GateFacts): Refused | undefined => {
  if (!vault) return undefined;
  const unknown = [...demandedBy(log)].find(
    ([incarnation, count]) => (vault.incarnations.get(incarnation) ?? -1) < count,
  );
  if (!unknown) return undefined;
  const [incarnation, count] = unknown;
  const known = vault.incarnations.get(incarnation);
  return {
    state: 'stale',
    why:
      known === undefined
        ? `The log was written with a vault of incarnation ${incarnation}, which this one does not know: it is an older copy.`
        : `The log was written with ${count} keys made, and this vault knows the first ${known}: it is an older copy.`,
    ...leadingOut(demandsOf(log, custodian)),
  };
};

/** Recent events and the last checkpoint together: between them they cover the whole log. */
export const demandedBy = ({ checkpoints: [last], incarnations }: LogTestimony): ReadonlyMap<string, number> => {
  const demanded = new Map(incarnations);
  if (last) demanded.set(last.incarnation, Math.max(last.mintSequence, demanded.get(last.incarnation) ?? 0));
  return demanded;
};

const demandsOf = (log: LogTestimony, custodian: CustodianFacts | undefined): Demands => {
  const [newest] = demandedBy(log);
  return { incarnation: newest?.[0], mintSequence: newest?.[1] ?? 0, epoch: custodian?.epochs[0] ?? 1 };
};

const leadingOut = (demands: Demands): Pick<Refused, 'wayOut' | 'demands' | 'acceptable'> => ({
  wayOut: `${restoring(demands)} ${ACCEPTING}`,
  demands,
  acceptable: true,
});

const restoring = ({ incarnation, mintSequence, epoch }: Demands): string =>
  `Restore a backup of the vault of epoch ${epoch} or later${
    incarnation === undefined ? '' : `, incarnation ${incarnation}, with at least ${mintSequence} keys made`
  }.`;

const ACCEPTING =
  'If there is none, an operator (POST /v1/vault/losses) and an approver accept what is lost; it reads as lost, never as erased.';
const WITHOUT_ROOTS =
  'Without any root no backup opens: then an operator (POST /v1/vault/losses) and an approver accept that everything sealed is lost; it reads as lost, never as erased.';

const counted = (count: number, one: string, many: string): string => `${count} ${count === 1 ? one : many}`;
