/** The keeper of keys: only apps/vault may import this entry point. */
export { Custodian } from './custodian/custodian.js';
export { FileCustodian } from './custodian/file-custodian.js';
export { CustodianMirrors } from './custodian/mirrors.js';
export type { GateState } from './gate.js';
export { GateRefusal } from './gate.js';
export type { HolderSession, Notice } from './holders.js';
export { Keeper } from './keeper.js';
export type { KeeperOptions } from './keeper.js';
export type { Looked } from './lookup.js';
export type { VaultStatus } from './status.js';
export { vaultServiceDefinition } from '../rpc/service.js';
export type * from '../rpc/messages.js';
export { toStatus } from '../rpc/errors.js';
export { authorized } from '../rpc/authorized.js';
export type { FenceOrder, ShredOrder } from '../shredder-contract.js';
export { frameOf, messageOf } from '../rpc/archive-messages.js';
export type { ArchiveMessage } from '../rpc/archive-messages.js';
export type { ArchiveFrame } from '../archive-contract.js';
