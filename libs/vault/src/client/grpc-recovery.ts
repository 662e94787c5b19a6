import type { OwnerRef } from '#kernel';
import type { GateReport, Doubt, LossReport, Reapplied, Reconciliation } from '../recovery-contract.js';
import { VaultRecovery } from '../recovery-contract.js';
import type { LossesReply, ReappliedReply, StatusReply } from '../rpc/messages.js';
import type { VaultAddress } from './connection.js';
import { VaultConnection } from './connection.js';

const WITHIN_MS = 10_000;
/** `/health/ready` asks, and has two seconds. */
const GATE_WITHIN_MS = 1_500;
/** The whole log is read. */
const ASSESSED_WITHIN_MS = 3_600_000;
const SERVING: ReadonlySet<string> = new Set(['consistent', 'reconciled']);

/** What leads out of a closed gate, over gRPC. */
export class GrpcVaultRecovery extends VaultRecovery {
  readonly #connection: VaultConnection;

  constructor(address: VaultAddress) {
    super();
    this.#connection = new VaultConnection(address);
  }

  async gate(): Promise<GateReport> {
    const { gate, why, wayOut, live, expired, erased, dirtyBuckets } = await this.#connection.call<StatusReply>(
      'Status',
      {},
      GATE_WITHIN_MS,
    );
    const keys = { live, expired, erased };
    return { serving: SERVING.has(gate), state: gate, why, wayOut, keys, dirtyBuckets };
  }
  async losses(): Promise<LossReport> {
    return lossesFrom(await this.#connection.call<LossesReply>('Losses', {}, ASSESSED_WITHIN_MS));
  }
  async acceptLosses(hash: string): Promise<LossReport> {
    return lossesFrom(await this.#connection.call<LossesReply>('AcceptLosses', { hash }, ASSESSED_WITHIN_MS));
  }
  async reapplied(): Promise<{ reconciliations: readonly Reconciliation[]; owners: readonly Reapplied[] }> {
    const { reconciliations, owners } = await this.#connection.call<ReappliedReply>('Reapplied', {}, WITHIN_MS);
    const counts = (expired: ReappliedReply['owners'][number]['expired']) =>
      Object.fromEntries(expired.map(({ category, count }) => [category, count]));
    return { reconciliations, owners: owners.map((one) => ({ ...one, expired: counts(one.expired) })) };
  }
  async recorded(done: { reconciliations: readonly string[]; owners: readonly OwnerRef[] }): Promise<void> {
    await this.#connection.call('Recorded', done, WITHIN_MS);
  }

  close(): void {
    this.#connection.close();
  }
}

const lossesFrom = ({ hash, scopes, missing, doubt }: LossesReply): LossReport => ({
  hash,
  scopes: Object.fromEntries(scopes.map(({ stream, count }) => [stream, count])),
  missingEvents: missing ?? undefined,
  doubt: doubt === '' ? undefined : (doubt as Doubt),
});
