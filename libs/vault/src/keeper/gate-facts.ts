import type { Pool } from '#postgres';
import type { CustodianState } from './custodian/custodian-state.js';
import { survivingEpochs } from './custodian/custodian-state.js';
import type { CustodianMirrors } from './custodian/mirrors.js';
import { readVaultRow } from './founding.js';
import type { CustodianFacts, GateFacts, VaultFacts } from './gate-judgement.js';
import { readIncarnations } from './incarnations.js';
import type { LogWitness } from './log-witness.js';

/** Reads what the gate decides by. Throws `store-unavailable` while the log can't be asked: nothing is decided without it. */
export const readFacts = async (
  pool: Pool,
  custodian: CustodianMirrors,
  log: LogWitness,
): Promise<Pick<GateFacts, 'log' | 'vault' | 'custodian'>> => {
  const [vault, state] = [await vaultFacts(pool), custodianFacts(custodian.state)];
  return { vault, custodian: state, log: await log.testify(state?.checkpoint?.sequence) };
};

const vaultFacts = async (pool: Pool): Promise<VaultFacts | undefined> => {
  const row = await readVaultRow(pool);
  if (!row) return undefined;
  const { installation, custodian_number: custodianNumber } = row;
  const epoch = await lowestEpoch(pool);
  return {
    ...{ installation, epoch, currentEpoch: row.epoch, custodianNumber: Number(custodianNumber) },
    incarnations: await readIncarnations(pool),
  };
};

/** While a seal is under way there are buckets of the epoch before, and a copy from then needs its root too. */
const lowestEpoch = async (pool: Pool): Promise<number> =>
  (await pool.query<{ epoch: number }>('select least(epoch, (select min(epoch) from bucket)) as epoch from vault'))
    .rows[0]!.epoch;

const custodianFacts = (state: CustodianState | undefined): CustodianFacts | undefined =>
  state && {
    installation: state.installation,
    number: state.number,
    founded: state.phase === 'founded',
    epochs: survivingEpochs(state),
    checkpoint: state.checkpoint
      ? { sequence: Number(state.checkpoint.sequence), link: state.checkpoint.hash }
      : undefined,
  };
