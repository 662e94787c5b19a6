/** One line of a benchmark: what was measured, and how it stands to another line of the same run. */
export interface Row {
  readonly bench: string;
  readonly what: string;
  readonly value: number;
  /** `/s`, `ms`, `MiB`. */
  readonly unit: string;
  /** Another line of this run, and this one divided by it: what can be compared between machines. */
  readonly against?: string;
  readonly ratio?: number;
  /** How much of the data (`--scale`): lines of one scale only can be compared with an earlier run's. */
  readonly scale: number;
}

/** Takes the lines of one benchmark, shows each as it comes, and works out the ratios. */
export class Report {
  readonly rows: Row[] = [];

  /** `tell` is given what goes on between the lines: a step, and how much of it is done, from 0 to 1. */
  constructor(
    private readonly bench: string,
    private readonly show: (row: Row) => void,
    private readonly tell: (step: string, done: number) => void = () => undefined,
    private readonly scale = 1,
  ) {}

  /** Says how far something that takes its time is; as often as one likes. */
  progress(step: string, done: number): void {
    this.tell(step, done);
  }

  /** `against` names a line that is already there. Throws when there is none: a ratio to nothing is a mistake of the bench. */
  row(what: string, value: number, unit: string, against?: string): void {
    const base = this.rows.find((row) => row.what === against);
    if (against !== undefined && !base) throw new Error(`${this.bench}: no line "${against}" to compare with`);
    const ratio = base && { against: base.what, ratio: value / base.value };
    const row = { bench: this.bench, what, value, unit, ...ratio, scale: this.scale };
    this.rows.push(row);
    this.show(row);
  }
}

/** A benchmark: builds what it needs, measures, and takes it down again. */
export interface Bench {
  readonly name: string;
  /** What it measures, in one line. */
  readonly about: string;
  run(report: Report, options: BenchOptions): Promise<void>;
}

export interface BenchOptions {
  /** How much of the data of the larger benchmarks: 1, or less to try something on a busy machine. */
  readonly scale: number;
  /** How long a benchmark that only watches goes on: `memory`. */
  readonly minutes: number;
}

/** Runs `work` once and gives its duration in milliseconds. */
export const timed = async (work: () => Promise<unknown>): Promise<number> => {
  const begun = performance.now();
  await work();
  return performance.now() - begun;
};

/** Operations per second with a fixed number in flight. */
export const rateOf = async (
  operations: number,
  inFlight: number,
  operation: (index: number) => Promise<unknown>,
): Promise<number> => (await latenciesOf(operations, inFlight, operation)).rate;

/** Operations per second with a fixed number in flight, and how many milliseconds each took. */
export const latenciesOf = async (
  operations: number,
  inFlight: number,
  operation: (index: number) => Promise<unknown>,
): Promise<{ readonly rate: number; readonly samples: readonly number[] }> => {
  const samples: number[] = [];
  let next = 0;
  const lane = async () => {
    while (next < operations) {
      const index = next++;
      samples.push(await timed(() => operation(index)));
    }
  };
  const ms = await timed(() => Promise.all(Array.from({ length: inFlight }, lane)));
  return { rate: (operations / ms) * 1_000, samples };
};

/** The value below which a share of the samples lies: `quantile(samples, 0.99)`. */
export const quantile = (samples: readonly number[], share: number): number =>
  [...samples].sort((a, b) => a - b)[Math.min(samples.length - 1, Math.floor(samples.length * share))] ?? Number.NaN;

/** The line through points by least squares: how much `y` grows with each `x`, and where it is on average. */
export const slopeOf = (points: readonly (readonly [x: number, y: number])[]): { slope: number; mean: number } => {
  const meanOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [meanX, mean] = [meanOf(points.map(([x]) => x)), meanOf(points.map(([, y]) => y))];
  const spread = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
  const together = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - mean), 0);
  return { slope: together / spread, mean };
};
