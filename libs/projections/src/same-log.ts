import type { Ledger } from '#ledger';
import type { BuildRow } from './schema.js';

/**
 * Event ids are random: a log that has this very event at this very place is the log that the rows were made from, up to
 * there. A log restored from an older backup, or another one altogether, does not have it.
 */
export const isOfThisLog = async (row: BuildRow, ledger: Ledger): Promise<boolean> => {
  if (row.event_position === null) return true;
  return (await ledger.eventIdAt(BigInt(row.event_position))) === row.event_id;
};
