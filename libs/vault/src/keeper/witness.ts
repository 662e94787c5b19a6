import { MakulerError } from '#kernel';
import type { Pool } from '#postgres';
import type { VaultStanding, WitnessedCheckpoint } from '../witness-contract.js';
import type { CustodianMirrors } from './custodian/mirrors.js';

/** What `CheckpointWitness.standing` answers, apart from the gate. */
export const standingOf = async (pool: Pool, custodian: CustodianMirrors): Promise<Omit<VaultStanding, 'serving'>> => {
  // The count is read now: whatever stands in the log by the time that a checkpoint is appended was minted before, or after it.
  const { rows } = await pool.query<{
    installation: string;
    incarnation: string;
    mint_sequence: string;
    epoch: number;
  }>('select installation, incarnation, mint_sequence, epoch from vault');
  const { state } = custodian;
  const [row] = rows;
  if (!state || !row) throw new MakulerError('vault-unavailable', { detail: 'The vault has not been read yet.' });
  return {
    installation: row.installation,
    incarnation: row.incarnation,
    mintSequence: Number(row.mint_sequence),
    custodianNumber: state.number,
    epoch: row.epoch,
    checkpoint: state.checkpoint ?? undefined,
  };
};

/** What `CheckpointWitness.witness` promises. Resolves when the custodian has it on disk. */
export const keepCheckpoint = async (custodian: CustodianMirrors, checkpoint: WitnessedCheckpoint): Promise<void> => {
  assertCheckpoint(checkpoint);
  await custodian.change(({ checkpoint: kept }) => {
    if (kept === null || Number(kept.sequence) < Number(checkpoint.sequence)) return { checkpoint };
    if (kept.sequence === checkpoint.sequence && kept.hash === checkpoint.hash) return undefined;
    throw new MakulerError('checkpoint-stale', {
      facts: { kept: kept.sequence, given: checkpoint.sequence },
    });
  });
};

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const COUNT = /^(0|[1-9]\d{0,14})$/;
const POSITION = /^(0|[1-9]\d{0,19})$/;
const SIGNATURE = /^[\w-]+\.[\w-]+\.[\w-]+$/;
const SIGNATURE_MAX = 4_096;

/** What lies at the custodian lies in clear and for long: nothing gets there that is not of this form. */
const assertCheckpoint = (checkpoint: WitnessedCheckpoint): void => {
  const { sequence, position, hash, at, signature, incarnation, mintSequence } = checkpoint;
  const fits =
    COUNT.test(sequence) &&
    POSITION.test(position) &&
    /^[0-9a-f]{64}$/.test(hash) &&
    /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(at) &&
    signature.length <= SIGNATURE_MAX &&
    SIGNATURE.test(signature) &&
    UUID.test(incarnation) &&
    COUNT.test(mintSequence);
  if (!fits) throw new MakulerError('invalid-input', { detail: 'This is no checkpoint.' });
};
