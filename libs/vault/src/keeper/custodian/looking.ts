import { GateRefusal } from '../gate.js';
import type { Custodian } from './custodian.js';
import { hashOf } from './custodian-format.js';
import type { CustodianState } from './custodian-state.js';

/** Why a mirror does not count. Only `missing`, `failed` and `exposed` end by themselves, when the place is fit again. */
export type AwayReason =
  /** Nothing is at the place. */
  | 'missing'
  /** The place can't be read or written. */
  | 'failed'
  | 'damaged'
  /** Others can read it, or it lies inside the home. */
  | 'exposed'
  /** Of another installation. */
  | 'foreign'
  /** It went on from an earlier state in a way of its own: its journal may hold what the others' lack. */
  | 'fork'
  /** Older than what the ancestors remember: no telling whether it is a fork. */
  | 'too-old'
  /** Its root does not open the current epoch key. */
  | 'wrong-root'
  /** An earlier state, on which nothing was done yet. */
  | 'behind'
  /** Another place has a mirror of the same id: one is a copy, and its roots are copies too. */
  | 'copied'
  | 'not-enrolled'
  | 'retired';

export interface AwayMirror {
  readonly id: string | undefined;
  /** Where it is, for people. */
  readonly name: string;
  readonly reason: AwayReason;
  /** What is wrong and what to do, for people. */
  readonly message: string;
}

const MESSAGES: Readonly<Record<AwayReason, string>> = {
  missing: 'is not there: bring its directory or token back; if it is gone for good, add another and retire it',
  failed: 'can’t be read or written',
  damaged: 'is damaged: repair it',
  exposed: 'can be read by others or lies inside the home',
  foreign: 'belongs to another installation',
  fork: 'is no predecessor of the others: two vaults have written, or a mirror was restored; repair it',
  'too-old': 'is too old to be told from a fork: repair it',
  'wrong-root': 'has a root that does not open the current epoch key: repair it',
  behind: 'is behind the others, and is brought up to date when the vault starts',
  copied: 'is a copy of another mirror: destroy it, it holds copies of the roots',
  'not-enrolled': 'is not one of the enrolled mirrors: add it',
  retired: 'was retired: take it out of the configuration',
};

export const awayBecause = (name: string, id: string | undefined, reason: AwayReason, detail?: string): AwayMirror => ({
  id,
  name,
  reason,
  message: `The custodian's mirror at ${name} ${MESSAGES[reason]}${detail === undefined ? '' : ` (${detail})`}.`,
});

/** What is at a mirror's place now. A problem leaves `state` out. */
export interface Look {
  readonly id: string | undefined;
  readonly state: CustodianState | undefined;
  readonly problem: { readonly reason: AwayReason; readonly cause: unknown } | undefined;
}

const REASONS: Partial<Record<GateRefusal['reason'], AwayReason>> = {
  'custodian-damaged': 'damaged',
  'custodian-exposed': 'exposed',
  'custodian-missing': 'missing',
};
/** What an error of a custodian means. */
export const reasonOf = (error: unknown): AwayReason =>
  (error instanceof GateRefusal && REASONS[error.reason]) || 'failed';

/** Never throws: whatever keeps a mirror from being read is the mirror's problem, not the vault's. */
export const lookAt = async (custodian: Custodian): Promise<Look> => {
  let id: string | undefined;
  try {
    id = await custodian.id();
    return { id, state: await custodian.readState(), problem: undefined };
  } catch (cause) {
    return { id, state: undefined, problem: { reason: reasonOf(cause), cause } };
  }
};

/** The same by whoever writes: what another may have begun to write there comes to nothing first. */
export const takeAndLook = async (custodian: Custodian): Promise<Look> => {
  try {
    await custodian.takeOver();
  } catch (cause) {
    return { id: undefined, state: undefined, problem: { reason: reasonOf(cause), cause } };
  }
  return lookAt(custodian);
};

/** The newest of the states, of those that name their own mirror as enrolled: one that was retired has no say. */
export const newestOf = (looks: readonly Look[]): CustodianState | undefined =>
  looks.reduce<CustodianState | undefined>(
    (best, { id, state }) =>
      state && id !== undefined && state.mirrors.includes(id) && (!best || state.number > best.number) ? state : best,
    undefined,
  );

/** How a mirror stands to the newest state: at it, behind it, or away for a reason. */
export const judge = ({ id, state, problem }: Look, newest: CustodianState): 'current' | 'behind' | AwayReason => {
  if (problem) return problem.reason;
  if (state && state.installation !== newest.installation) return 'foreign';
  if (id !== undefined && newest.retiredMirrors.some((retired) => retired.id === id)) return 'retired';
  if (id === undefined || !newest.mirrors.includes(id)) return 'not-enrolled';
  // An enrolled mirror without a state was cut off between its id and its first state.
  if (!state) return 'behind';
  const hash = hashOf(state);
  if (hash === hashOf(newest)) return 'current';
  if (newest.ancestors.includes(hash)) return 'behind';
  return state.number < newest.number - newest.ancestors.length ? 'too-old' : 'fork';
};
