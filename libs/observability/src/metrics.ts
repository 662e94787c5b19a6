import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { CounterName, GaugeName, HistogramName, LabelsOf, MetricName } from './metric-names.js';
import { METRICS } from './metric-names.js';

/** From a millisecond to ten seconds: what a person waits for, and what a deadline ends. */
const BUCKETS_S = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** The numbers of one process. Counting never throws and never waits. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #collectors: (() => Promise<void>)[] = [];
  readonly #made = new Map<MetricName, Histogram | Gauge | Counter>();

  /** `program`: the process, as the label `program` of all its numbers. */
  constructor(program: string) {
    this.#registry.setDefaultLabels({ program });
    collectDefaultMetrics({ register: this.#registry });
  }

  observe<Name extends HistogramName>(name: Name, seconds: number, labels: LabelsOf<Name>): void {
    (this.#metric(name) as Histogram).observe(labels, seconds);
  }
  set<Name extends GaugeName>(name: Name, value: number, labels: LabelsOf<Name>): void {
    (this.#metric(name) as Gauge).set(labels, value);
  }
  count<Name extends CounterName>(name: Name, by: number, labels: LabelsOf<Name>): void {
    (this.#metric(name) as Counter).inc(labels, by);
  }

  /** Runs `work` and observes how long it took, with the labels for what came of it. */
  async timed<T, Name extends HistogramName>(
    name: Name,
    work: () => Promise<T>,
    labelsOf: (error: unknown) => LabelsOf<Name>,
  ): Promise<T> {
    const begun = performance.now();
    const observe = (error?: unknown) => this.observe(name, (performance.now() - begun) / 1_000, labelsOf(error));
    try {
      const result = await work();
      observe();
      return result;
    } catch (error) {
      observe(error ?? new Error());
      throw error;
    }
  }

  /** Called before every answer to Prometheus; what fails leaves its gauges out of that answer. `sets`: the gauges that it sets. */
  onScrape(sets: readonly GaugeName[], collect: () => Promise<void>): void {
    this.#collectors.push(async () => {
      // What is not there any more must not go on being shown.
      for (const name of sets) this.#clear(name);
      await collect().catch(() => {
        for (const name of sets) this.#clear(name);
      });
    });
  }

  /** The text that Prometheus reads. */
  async exposition(): Promise<{ readonly contentType: string; readonly text: string }> {
    await Promise.all(this.#collectors.map((collect) => collect()));
    return { contentType: this.#registry.contentType, text: await this.#registry.metrics() };
  }

  /** One without labels would be shown as 0 after a reset. */
  #clear(name: GaugeName): void {
    const gauge = this.#metric(name) as Gauge;
    gauge.reset();
    if (METRICS[name].labels.length === 0) gauge.remove({});
  }

  #metric(name: MetricName): Histogram | Gauge | Counter {
    const made = this.#made.get(name);
    if (made) return made;
    const { kind, help, labels } = METRICS[name];
    const options = { name, help, labelNames: [...labels], registers: [this.#registry] };
    const metric =
      kind === 'histogram'
        ? new Histogram({ ...options, buckets: BUCKETS_S })
        : kind === 'gauge'
          ? new Gauge(options)
          : new Counter(options);
    this.#made.set(name, metric);
    return metric;
  }
}
