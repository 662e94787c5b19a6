import type { Parts } from '#composition';
import { BehindTheApi } from '../faults/behind-the-api.js';
import { Installation } from '../journeys/installation.js';

/** Whoever measures asks without end; the limits have specs of their own. */
const NO_LIMITS = { RATE_LIMIT_ADDRESS: '0', RATE_LIMIT_TOKEN: '0', RATE_LIMIT_LOOKUPS: '0' };

/** The whole system as `makuler up` starts it, in real processes, with a way in behind the API for data in bulk. */
export interface RunningSystem {
  readonly installation: Installation;
  readonly behind: BehindTheApi;
  /** Ledger, vault and databases as the worker has them. */
  readonly parts: Parts;
}

/** Starts a fresh system, lets `work` measure, and removes it, whatever comes of it. */
export const withSystem = async (work: (system: RunningSystem) => Promise<void>): Promise<void> => {
  const installation = await Installation.create({ policy: 'policy/webshop' });
  let behind: BehindTheApi | undefined;
  try {
    await installation.start([], NO_LIMITS);
    behind = await BehindTheApi.of(installation);
    await work({ installation, behind, parts: await behind.parts() });
  } finally {
    await behind?.close();
    await installation.destroy();
  }
};
