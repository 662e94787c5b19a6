import type { OwnerRef } from '#kernel';
import type { EpochsReport } from '../operations-contract.js';
import type { ScopeRequest } from '../vault.js';
import type { VaultStanding, WitnessedCheckpoint } from '../witness-contract.js';

/** The messages of vault.proto, as proto-loader gives and takes them. */
export interface FromHolder {
  readonly hello?: { readonly holder: string; readonly view: string; readonly counter: number } | null;
  readonly renew?: number;
  readonly dropped?: number;
  readonly quiet?: number;
  readonly released?: boolean;
  /** Which of them is set. */
  readonly message?: 'hello' | 'renew' | 'dropped' | 'quiet' | 'released';
}
export interface ToHolder {
  readonly welcome?: {
    readonly view: string;
    readonly counter: number;
    readonly reset: boolean;
    readonly scopeIds: readonly string[];
    readonly leaseMs: number;
  } | null;
  readonly renewed?: number;
  readonly shredded?: { readonly counter: number; readonly scopeIds: readonly string[] } | null;
  readonly quiesce?: { readonly request: number; readonly owner: OwnerRef } | null;
  readonly message?: 'welcome' | 'renewed' | 'shredded' | 'quiesce';
}

export interface MintRequest {
  readonly holder: string;
  readonly groups: readonly { readonly requests: readonly ScopeRequest[] }[];
}
export interface MintReply {
  readonly outcomes: readonly {
    /** An error code, or empty. */
    readonly refused: string;
    readonly keys: readonly { readonly scopeId: string; readonly dataKey: Uint8Array }[];
    /** The count of keys ever made, after this group's own; 0 when it made none. */
    readonly mintSequence: number;
  }[];
  readonly incarnation: string;
}
export interface OpenRequest {
  readonly holder: string;
  readonly scopeIds: readonly string[];
}
export interface OpenedKey {
  readonly state: 'live' | 'shredded' | 'lost' | 'unknown' | 'damaged';
  /** Of a live one: data key ‖ JSON of a ScopeRequest. */
  readonly record?: Uint8Array;
}
export interface OpenReply {
  readonly keys: readonly OpenedKey[];
}
export interface SealReply {
  readonly epoch: number;
  readonly sealed: boolean;
  readonly rotated: number;
  readonly rewrapped: number;
  /** Empty when nothing was sealed. */
  readonly destroyAt: string;
}
export interface ClearingReply {
  readonly clearing: {
    readonly epoch: number;
    readonly plannedFor: string;
    /** Empty until every mirror has confirmed. */
    readonly clearedAt: string;
    readonly mirrors: number;
  } | null;
}
export interface StandingReply extends Omit<VaultStanding, 'checkpoint'> {
  readonly checkpoint: WitnessedCheckpoint | null;
}
export interface LossesReply {
  readonly hash: string;
  readonly scopes: readonly { readonly stream: string; readonly count: number }[];
  readonly missing: { readonly from: number; readonly to: number } | null;
  /** Empty when there is none. */
  readonly doubt: string;
}
export interface ReappliedReply {
  readonly reconciliations: readonly { readonly id: string; readonly applied: number }[];
  readonly owners: readonly {
    readonly owner: OwnerRef;
    readonly erased: boolean;
    readonly retained: readonly string[];
    readonly expired: readonly { readonly category: string; readonly count: number }[];
  }[];
}
export interface StatusReply {
  readonly gate: string;
  /** Of a closed gate: what was found, and what an operator can do; empty when it is open. */
  readonly why: string;
  readonly wayOut: string;
  readonly applied: number;
  /** Of the custodian; empty before there is one. */
  readonly installation: string;
  readonly incarnation: string;
  readonly mintSequence: number;
  readonly epoch: number;
  readonly live: number;
  readonly expired: number;
  readonly erased: number;
  readonly lost: number;
  readonly buckets: number;
  readonly dirtyBuckets: number;
  /** `message` is empty of one that is ok. */
  readonly mirrors: readonly { readonly name: string; readonly ok: boolean; readonly message: string }[];
  readonly sharedDevice: boolean;
  readonly holders: number;
  readonly epochs: EpochsReport | null;
}

export interface MirrorsReply {
  /** `id`, `reason` and `message` are empty where there is none. */
  readonly mirrors: readonly {
    readonly id: string;
    readonly name: string;
    readonly standing: 'present' | 'joining' | 'away';
    readonly reason: string;
    readonly message: string;
    readonly roots: readonly number[];
  }[];
}
