import { GateRefusal } from '../gate.js';
import type { CustodianState } from './custodian-state.js';
import type { Look } from './looking.js';
import { awayBecause, judge } from './looking.js';

/** A mirror by its name, and what is at its place. */
export interface Looked {
  readonly name: string;
  readonly look: Look;
}

/**
 * Throws a GateRefusal for what a vault never starts with, however many other mirrors are there. `newest` is undefined when
 * none of them has a state; `known`: this process has seen one before.
 */
export const assertFit = (all: readonly Looked[], newest: CustodianState | undefined, known: boolean): void => {
  for (const { look } of all) if (look.problem?.reason === 'exposed') throw look.problem.cause;
  if (!newest) return assertUnused(all, known);
  for (const { name, look } of all) {
    const how = judge(look, newest);
    const refusal = awayBecause(name, look.id, how === 'fork' || how === 'foreign' ? how : 'missing').message;
    if (how === 'fork' || how === 'foreign') throw new GateRefusal(how, refusal);
    if (newest.phase === 'founding' && how !== 'current' && how !== 'behind')
      throw new GateRefusal('custodian-missing', refusal);
  }
};

const assertUnused = (all: readonly Looked[], known: boolean): void => {
  const names = all.map(({ name }) => name).join(' and ');
  if (all.some(({ look }) => look.problem?.reason === 'damaged' || look.state))
    throw new GateRefusal(
      'custodian-lost',
      `Of the custodian's mirrors at ${names} none can be read. Their root keys are the only ones: while they are away nothing that was sealed can be read, and nothing is erased by that. Bring back one of them, as it was.`,
    );
  if (known || all.some(({ look }) => look.problem?.reason === 'failed'))
    throw new GateRefusal('custodian-missing', `None of the custodian's mirrors is at ${names}: bring them back.`);
};
