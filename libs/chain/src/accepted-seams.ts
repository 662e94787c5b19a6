import type { EventStore, StoredEvent } from '#ledger';
import { LOSSES_STREAM, LossesAccepted } from '#recovery';
import type { LoggedCheckpoint } from './checkpoint.js';

/** Two persons accepted that these events are not, or may not be, what was witnessed of them (`possible-tampering`). */
export interface AcceptedSeam {
  readonly from: number;
  readonly to: number;
  /** The event that says so. */
  readonly event: Pick<StoredEvent, 'id' | 'position'>;
}

/** What the log itself says was accepted. Believed only where a checkpoint that was made later covers it. */
export const acceptedSeams = async (store: EventStore): Promise<readonly AcceptedSeam[]> =>
  (await store.read(LOSSES_STREAM)).flatMap(({ type, data, id, position }) => {
    if (type !== LossesAccepted.type || data['doubt'] !== 'possible-tampering') return [];
    return [{ from: Number(data['missingFrom']), to: Number(data['missingTo']), event: { id, position } }];
  });

/** The seam that a checkpoint lies in: it stood in the log before, and says something of what was accepted to be otherwise. */
export const seamOf = (
  { sequence, standsAt }: Pick<LoggedCheckpoint, 'sequence' | 'standsAt'>,
  seams: readonly AcceptedSeam[],
): AcceptedSeam | undefined =>
  seams.find(({ from, to, event }) => from <= sequence && sequence <= to && standsAt < event.position);
