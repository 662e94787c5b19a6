import { METRICS } from '#observability';

/** Our metrics of which a text for Prometheus has a sample, and names that begin like ours and are none. */
export const metricsIn = (exposition: string): readonly string[] =>
  [...exposition.matchAll(/^(makuler_\w+)\{/gm)].map(([, name]) => {
    // A histogram is shown by its parts.
    const whole = name!.replace(/_(bucket|count|sum)$/, '');
    return Object.hasOwn(METRICS, whole) ? whole : name!;
  });

/** How far a projection is behind, in seconds, as a text for Prometheus says it. */
export const lagIn = (exposition: string, projection: string): number =>
  Number(new RegExp(`^makuler_projection_lag_seconds\\{.*"${projection}".*\\} (.*)$`, 'm').exec(exposition)?.[1]);
