import type { OnModuleInit } from '@nestjs/common';
import { Injectable } from '@nestjs/common';
import { ErasureBoard } from '#erasure';
import { Clock } from '#kernel';
import { Ledger } from '#ledger';
import { Metrics } from '#observability';
import { ProjectionStates } from '#projections';
import { VaultOperations, VaultRecovery } from '#vault/operations';

const DAY_MS = 86_400_000;

/** The read models that are counted. */
@Injectable()
export class SystemReadModels {
  constructor(
    private readonly states: ProjectionStates,
    private readonly ledger: Ledger,
    private readonly board: ErasureBoard,
  ) {}

  /** Each with when the oldest event that it does not have yet was recorded, which is asked once for all that stand at one place. */
  async projections() {
    const states = await this.states.list(await this.ledger.head());
    const places = new Set(states.filter(({ lag }) => lag > 0n).map(({ position }) => position));
    const asked = [...places].map(async (place) => [place, await this.ledger.recordedAfter(place)] as const);
    const since = new Map(await Promise.all(asked));
    return states.map((state) => ({ ...state, waitingSince: since.get(state.position) }));
  }

  erasures(since: Date) {
    return this.board.counts(since);
  }
}

/** What the whole system is like, as this api sees it when it is asked: the same from every api. */
@Injectable()
export class SystemMetrics implements OnModuleInit {
  constructor(
    private readonly metrics: Metrics,
    private readonly vault: VaultOperations,
    private readonly recovery: VaultRecovery,
    private readonly read: SystemReadModels,
    private readonly clock: Clock,
  ) {}

  onModuleInit(): void {
    const { metrics } = this;
    metrics.onScrape(['makuler_vault_gate_open', 'makuler_vault_keys', 'makuler_vault_dirty_buckets'], async () => {
      const { serving, keys, dirtyBuckets } = await this.recovery.gate();
      metrics.set('makuler_vault_gate_open', serving ? 1 : 0, {});
      for (const [state, count] of Object.entries(keys)) metrics.set('makuler_vault_keys', count, { state });
      metrics.set('makuler_vault_dirty_buckets', dirtyBuckets, {});
    });
    metrics.onScrape(['makuler_vault_epoch', 'makuler_vault_roots_overdue'], async () => {
      const { current, retiring } = await this.vault.epochs();
      const overdue = retiring.filter(({ destroyAt }) => Date.parse(destroyAt) < this.clock.now().getTime() - DAY_MS);
      metrics.set('makuler_vault_epoch', current, {});
      metrics.set('makuler_vault_roots_overdue', overdue.length, {});
    });
    const ofProjections = ['makuler_projection_state', 'makuler_projection_failed'] as const;
    metrics.onScrape(['makuler_projection_lag_seconds', ...ofProjections], async () => {
      const read = await this.read.projections();
      const nowMs = this.clock.now().getTime();
      for (const { name: projection, waitingSince, state, rebuild } of read) {
        const lagMs = waitingSince ? Math.max(0, nowMs - waitingSince.getTime()) : 0;
        metrics.set('makuler_projection_lag_seconds', lagMs / 1_000, { projection });
        for (const one of [state, ...(rebuild ? ['rebuilding'] : [])])
          metrics.set('makuler_projection_state', 1, { projection, state: one });
        metrics.set('makuler_projection_failed', state === 'failed' ? 1 : 0, { projection });
      }
    });
    metrics.onScrape(['makuler_erasures', 'makuler_erasures_overdue'], async () => {
      const now = this.clock.now();
      const { byState, overdue } = await this.read.erasures(new Date(now.getTime() - DAY_MS));
      for (const [state, count] of byState) metrics.set('makuler_erasures', count, { state });
      metrics.set('makuler_erasures_overdue', overdue, {});
    });
  }
}
