import type { MirrorReport } from '../../operations-contract.js';
import { awayBecause, lookAt } from './looking.js';
import type { CustodianMirrors } from './mirrors.js';

/** Every mirror that is enrolled or configured, each read now: what it says of itself may be newer than what the vault knows. */
export const reportMirrors = async (custodian: CustodianMirrors): Promise<readonly MirrorReport[]> => {
  const away = custodian.away();
  // What is written while we read is newer than this, and no mirror is behind for it.
  const known = custodian.state?.number ?? Infinity;
  const there = await Promise.all(
    [...custodian.present(), ...custodian.joining()].map(async (mirror): Promise<MirrorReport> => {
      const { id, state, problem } = await lookAt(mirror);
      const isCurrent = state !== undefined && state.number >= known;
      const standing = isCurrent && custodian.present().includes(mirror) ? 'present' : 'joining';
      const roots = await mirror.epochs().catch(() => []);
      if (!problem) return { id, name: mirror.name, standing, reason: undefined, message: undefined, roots };
      const { name, reason, message } = awayBecause(mirror.name, id, problem.reason);
      return { id, name, standing: 'away', reason, message, roots };
    }),
  );
  return [
    ...there,
    ...away.map(({ id, name, reason, message }): MirrorReport => ({
      id,
      name,
      standing: 'away',
      reason,
      message,
      roots: [],
    })),
  ];
};
