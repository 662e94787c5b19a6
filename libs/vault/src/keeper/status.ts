import { stat } from 'node:fs/promises';
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
  /** Of a vault that takes long to count: as they were a little while ago. */
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

/** Reads every mirror now: one that can't be read, or is not at the present state, is not ok. */
export const mirrorStates = async (custodian: CustodianMirrors): Promise<VaultStatus['mirrors']> =>
  (await reportMirrors(custodian)).map(({ name, standing, message = '' }) => ({
    name,
    ok: standing === 'present',
    message: standing === 'joining' ? 'It is being brought up to date.' : message,
  }));

export const isDeviceShared = async (custodian: CustodianMirrors, home: string | undefined): Promise<boolean> => {
  const homeDevice = home === undefined ? undefined : await deviceOf(home).catch(() => undefined);
  const found = await Promise.all(custodian.mirrors.map((mirror) => mirror.device().catch(() => undefined)));
  // A token is a device of its own.
  const devices = found.filter((device) => device !== undefined);
  return (
    found.length < 2 ||
    new Set(devices).size < devices.length ||
    (homeDevice !== undefined && devices.includes(homeDevice))
  );
};

const deviceOf = async (path: string): Promise<number> => (await stat(path)).dev;
