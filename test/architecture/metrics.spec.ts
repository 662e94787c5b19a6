import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import type { MetricName } from '#observability';
import { METRICS } from '#observability';

const dashboard = JSON.parse(readFileSync('deploy/dashboard.json', 'utf8')) as {
  panels: { targets: { expr: string }[] }[];
};
const alerts = parse(readFileSync('deploy/alerts.yaml', 'utf8')) as {
  groups: { rules: { alert: string; expr: string; annotations: { summary: string } }[] }[];
};
const expressions = [
  ...dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
  ...alerts.groups.flatMap(({ rules }) => rules.map(({ expr }) => expr)),
];
const namesIn = (expression: string) => [...expression.matchAll(/makuler_[a-z_]+/g)].map(([name]) => name);
/** A histogram is asked for by its parts. */
const metricOf = (name: string): MetricName | undefined => {
  const whole = name.replace(/_(bucket|count|sum)$/, '');
  return Object.hasOwn(METRICS, name)
    ? (name as MetricName)
    : Object.hasOwn(METRICS, whole)
      ? (whole as MetricName)
      : undefined;
};

/** Gauges of the process that shows them; the others show the whole system, as each process of a program sees it. */
const OF_ONE_PROCESS = new Set<MetricName>(['makuler_vault_keys_cached', 'makuler_active']);

describe('deploy/', () => {
  it('names only metrics that exist, with labels that they have', () => {
    expect(expressions.length).toBeGreaterThan(20);
    for (const expression of expressions) {
      const names = namesIn(expression);
      expect(names.length).toBeGreaterThan(0);
      const labels = new Set([
        'le',
        'program',
        ...names.flatMap((name) => [...(METRICS[metricOf(name)!]?.labels ?? [])]),
      ]);
      expect(names.filter((name) => !metricOf(name))).toEqual([]);
      const asked = [...expression.matchAll(/by \(([^)]*)\)|\{([^}]*)\}/g)].flatMap(([, by, where]) =>
        (by ?? where!).split(',').map((part) => part.trim().replace(/[=!~].*$/, '')),
      );
      expect(asked.filter((label) => !labels.has(label))).toEqual([]);
    }
  });

  it('adds nothing up that several processes show of the same whole', () => {
    const adding = expressions.filter((expression) => /\bsum( by \([^)]*\))? ?\(makuler_/.test(expression));
    expect(adding.flatMap(namesIn).filter((name) => !OF_ONE_PROCESS.has(metricOf(name)!))).toEqual([]);
    expect(adding).not.toEqual([]);
  });

  it('shows or watches every metric of ours', () => {
    const used = new Set(expressions.flatMap(namesIn).map(metricOf));
    expect(Object.keys(METRICS).filter((name) => !used.has(name as MetricName))).toEqual([]);
  });
});
