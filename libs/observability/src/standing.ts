import type { Health } from './health.js';
import type { Metrics } from './metrics.js';

/** Shows of a program of which one process is active whether it is this one: as a metric, and as readiness (`standby`). */
export const showStanding = (metrics: Metrics, health: Health, isActive: () => boolean): void => {
  metrics.onScrape(['makuler_active'], async () => metrics.set('makuler_active', isActive() ? 1 : 0, {}));
  health.register('active', async () => (isActive() ? undefined : { because: 'standby' }));
};
