import type { Clock } from '#kernel';
import type { Pool, PoolClient } from '#postgres';
import type { Activity } from './active.js';
import { MirrorOperations } from './custodian/mirror-operations.js';
import type { CustodianMirrors } from './custodian/mirrors.js';
import { Epochs } from './epochs/epochs.js';
import { Fences } from './fences.js';
import type { HandedOut, Interrupt } from './handed-out.js';
import type { Holders } from './holders.js';
import type { BucketKeyring } from './keyring.js';
import { Mint } from './mint.js';
import type { Tell } from './notice.js';
import { Shredding } from './shredding.js';

/** One life of the vault: what it is made of exists only while its gate is open. */
export interface VaultLife {
  readonly activity: Activity;
  readonly keyring: BucketKeyring;
  readonly holders: Holders;
  readonly incarnation: string;
  readonly installation: string;
}

/** The parts that carry the operations out. */
export interface OpenVault extends VaultLife {
  readonly mint: Mint;
  readonly fences: Fences;
  readonly shredding: Shredding;
  readonly epochs: Epochs;
  readonly mirrors: MirrorOperations;
  /** Throws when another vault has taken over. */
  readonly assertActive: (client: PoolClient) => Promise<void>;
}

export interface OpenVaultOptions {
  readonly pool: Pool;
  readonly custodian: CustodianMirrors;
  readonly clock: Clock;
  readonly epochWindowMs: number;
  readonly sealEveryMs: number;
  readonly notice?: Tell;
}

/** Puts the parts of one life together. */
export const assemble = (
  { pool, custodian, clock, epochWindowMs, sealEveryMs, notice }: OpenVaultOptions,
  life: VaultLife,
  handedOut: HandedOut,
  interrupt: Interrupt,
): OpenVault => {
  const { keyring, holders, incarnation, installation } = life;
  const { token, write, ask } = life.activity;
  const assertActive = (client: PoolClient) => handedOut.assertActive(client, token, incarnation);
  const unapplied = () => interrupt('an order is journaled and not applied');
  const shredding = new Shredding({ pool, write }, keyring, custodian, holders, clock, assertActive, unapplied);
  const mint = new Mint({ pool, write, ask }, keyring, {
    nowMs: () => clock.now().getTime(),
    isClosing: (scopeId) => shredding.closing.has(scopeId),
    ...{ token, incarnation },
    handedOut: () => handedOut.countOf(incarnation),
    counted: (row) => handedOut.counted(row, incarnation),
    committed: (sequence) => handedOut.note(incarnation, sequence),
  });
  const fences = new Fences(pool, write, keyring, custodian, holders, assertActive, unapplied);
  const epochs = new Epochs({
    ...{ pool, write, keyring, custodian, clock, installation, token, assertActive, sealEveryMs },
    windowMs: epochWindowMs,
    tell: (told) => notice?.(told),
    onUnapplied: () => interrupt('whether an epoch has begun is not known'),
  });
  const mirrors = new MirrorOperations({ write, custodian, clock, assertActive, tend: () => epochs.tend() });
  return { ...life, mint, fences, shredding, epochs, mirrors, assertActive };
};
