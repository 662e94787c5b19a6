import type { Pool } from '#postgres';
import type { EpochsReport } from '../operations-contract.js';
import { reportMirrors } from './custodian/mirror-report.js';
import type { CustodianMirrors } from './custodian/mirrors.js';
import type { GateState } from './gate.js';

/** What `makuler status` shows of the vault. Counts and ids only. */
export interface VaultStatus {
  readonly gate: GateState;
  /** Of the custodian; `undefined` before there is one. */
  readonly installation: string | undefined;
  /** `undefined` while the database is empty. */
  readonly incarnation: string | undefined;
  readonly mintSequence: number;
  readonly epoch: number;
  readonly keys: { readonly live: number; readonly expired: number; readonly erased: number; readonly lost: number };
  readonly buckets: number;
  readonly dirtyBuckets: number;
  /** `message`: why it is not ok and what to do; empty when it is. */
  readonly mirrors: readonly { readonly name: string; readonly ok: boolean; readonly message: string }[];
  /** All mirrors lie on one device with each other or with the home: losing it loses every root. */
  readonly sharedDevice: boolean;
  /** Processes that hold a lease. */
  readonly holders: number;
  /** `undefined` while the gate is closed. */
  readonly epochs: EpochsReport | undefined;
}

type Counts = Pick<VaultStatus, 'incarnation' | 'mintSequence' | 'epoch' | 'keys' | 'buckets' | 'dirtyBuckets'>;

/** What the database says; zeros of one that is empty or away: behind a closed gate the rest of the status matters most. */
export const vaultCounts = async (pool: Pool): Promise<Counts> =>
  (await counts(pool).catch(() => undefined)) ?? {
    ...{ incarnation: undefined, mintSequence: 0, epoch: 0, buckets: 0, dirtyBuckets: 0 },
    keys: { live: 0, expired: 0, erased: 0, lost: 0 },
  };

const counts = async (pool: Pool): Promise<Counts | undefined> => {
  const { rows } = await pool.query<
    Record<'live' | 'expired' | 'erased' | 'lost' | 'buckets' | 'dirty' | 'mint', string> & {
      incarnation: string;
      epoch: number;
    }
  >(
    `select incarnation, mint_sequence as mint, epoch,
            (select count(*) from scope where state = 'live') as live,
            (select count(*) from scope where state = 'expired') as expired,
            (select count(*) from scope where state = 'erased') as erased,
            (select count(*) from scope where state = 'lost') as lost,
            (select count(*) from bucket) as buckets,
            (select count(*) from bucket where dirty) as dirty
     from vault`,
  );
  const [row] = rows;
  return (
    row && {
      ...{ incarnation: row.incarnation, mintSequence: Number(row.mint), epoch: row.epoch },
      keys: {
        live: Number(row.live),
        expired: Number(row.expired),
        erased: Number(row.erased),
        lost: Number(row.lost),
      },
      ...{ buckets: Number(row.buckets), dirtyBuckets: Number(row.dirty) },
    }
  );
};

/** Reads every mirror now: one that can't be read, or is not at the present state, is not ok. */
export const mirrorStates = async (custodian: CustodianMirrors): Promise<VaultStatus['mirrors']> =>
  (await reportMirrors(custodian)).map(({ name, standing, message = '' }) => ({
    name,
    ok: standing === 'present',
    message: standing === 'joining' ? 'It is being brought up to date.' : message,
  }));

export const isDeviceShared = async (custodian: CustodianMirrors, homeDevice: number | undefined): Promise<boolean> => {
  const found = await Promise.all(custodian.mirrors.map((mirror) => mirror.device().catch(() => undefined)));
  // A token is a device of its own.
  const devices = found.filter((device) => device !== undefined);
  return (
    found.length < 2 ||
    new Set(devices).size < devices.length ||
    (homeDevice !== undefined && devices.includes(homeDevice))
  );
};
