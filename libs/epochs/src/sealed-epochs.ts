import type { Draft } from '#events';
import type { Decider, RecordedEvent, StreamName } from '#ledger';
import { isEvent } from '#ledger';
import type { EpochsReport, SealReport } from '#vault/operations';
import { EpochRootsDestroyed, EpochSealed } from './epochs.events.js';

/** What happened to the vault as a whole: epochs, trusted instants, checkpoints of the log. */
export const VAULT_LEDGER: StreamName = 'vault-ledger';

/** The epochs that the log knows as sealed, and whether their roots are gone. */
export type SealedEpochs = ReadonlyMap<number, 'sealed' | 'destroyed'>;

export const sealedEpochs: Decider<SealedEpochs> = {
  initial: new Map(),
  evolve(state: SealedEpochs, event: RecordedEvent): SealedEpochs {
    if (isEvent(event, EpochSealed)) return new Map(state).set(event.data.epoch, 'sealed');
    if (isEvent(event, EpochRootsDestroyed)) return new Map(state).set(event.data.epoch, 'destroyed');
    return state;
  },
};

/**
 * What the log still lacks of what the vault says, each epoch once: a seal or a destruction after which a job was killed is
 * recorded by the next one. `seal`: the report of a seal that was carried out just now, for its counts.
 */
export const recordEpochs = (
  state: SealedEpochs,
  { current, retiring, lost }: EpochsReport,
  seal: SealReport | undefined,
  at: string,
): Draft<any>[] => {
  const unknown = retiring.filter(({ epoch }) => !state.has(epoch));
  // What went with a lost custodian was destroyed by nobody, and stays as it is.
  const stands = new Set([...retiring.map(({ epoch }) => epoch), ...lost]);
  // An epoch is gone only when the log knows that it was sealed: what the vault does not list may never have been.
  const gone = [...state].filter(([epoch, is]) => is === 'sealed' && epoch < current && !stands.has(epoch));
  return [
    ...unknown.map(({ epoch, sealedAt, destroyAt }) => {
      const counted = seal?.sealed === true && epoch === seal.epoch - 1;
      const counts = counted
        ? { rotated: seal.rotated, rewrapped: seal.rewrapped }
        : { rotated: null, rewrapped: null };
      return EpochSealed.of({ epoch, sealedAt, destroyAt, ...counts });
    }),
    ...gone.map(([epoch]) => EpochRootsDestroyed.of({ epoch, at })),
  ];
};
