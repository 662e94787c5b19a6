import type { Pool } from '#postgres';
import type { CustodianMirrors } from './custodian/mirrors.js';
import type { GateState } from './gate.js';

/** What `makuler status` shows of the vault. Counts and ids only. */
export interface VaultStatus {
  readonly gate: GateState;
  readonly incarnation: string;
  readonly mintSequence: number;
  readonly epoch: number;
  readonly keys: { readonly live: number; readonly expired: number; readonly erased: number };
  readonly buckets: number;
  readonly dirtyBuckets: number;
  readonly mirrors: readonly { readonly name: string; readonly ok: boolean }[];
  /** All mirrors lie on one device with each other or with the home: losing it loses every root. */
  readonly sharedDevice: boolean;
  /** Processes that hold a lease. */
  readonly holders: number;
}

export const keyCounts = async (pool: Pool): Promise<Pick<VaultStatus, 'keys' | 'buckets' | 'dirtyBuckets'>> => {
  const { rows } = await pool.query<{ live: string; expired: string; erased: string; buckets: string; dirty: string }>(
    `select (select count(*) from scope where state = 'live') as live,
            (select count(*) from scope where state = 'expired') as expired,
            (select count(*) from scope where state = 'erased') as erased,
            (select count(*) from bucket) as buckets,
            (select count(*) from bucket where dirty) as dirty`,
  );
  const { live, expired, erased, buckets, dirty } = rows[0]!;
  return {
    keys: { live: Number(live), expired: Number(expired), erased: Number(erased) },
    buckets: Number(buckets),
    dirtyBuckets: Number(dirty),
  };
};

/** Reads every mirror now: one that can't be read, or is not at the present state, is not ok. */
export const mirrorStates = async (custodian: CustodianMirrors): Promise<VaultStatus['mirrors']> =>
  Promise.all(
    custodian.mirrors.map(async (mirror) => ({
      name: mirror.name,
      ok: await mirror.readState().then(
        (state) => state !== undefined && state.number === custodian.state?.number,
        () => false,
      ),
    })),
  );

export const isDeviceShared = async (custodian: CustodianMirrors, homeDevice: number | undefined): Promise<boolean> => {
  const devices = await Promise.all(custodian.mirrors.map((mirror) => mirror.device().catch(() => undefined)));
  return (
    devices.length < 2 ||
    new Set(devices).size < devices.length ||
    (homeDevice !== undefined && devices.includes(homeDevice))
  );
};
