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
}

/** Takes the lines of one benchmark, shows each as it comes, and works out the ratios. */
export class Report {
  readonly rows: Row[] = [];

  constructor(
    private readonly bench: string,
    private readonly show: (row: Row) => void,
  ) {}

  /** `against` names a line that is already there. Throws when there is none: a ratio to nothing is a mistake of the bench. */
  row(what: string, value: number, unit: string, against?: string): void {
    const base = this.rows.find((row) => row.what === against);
    if (against !== undefined && !base) throw new Error(`${this.bench}: no line "${against}" to compare with`);
    const ratio = base && { against: base.what, ratio: value / base.value };
    const row = { bench: this.bench, what, value, unit, ...ratio };
    this.rows.push(row);
    this.show(row);
  }
}

/** A benchmark: builds what it needs, measures, and takes it down again. */
export interface Bench {
  readonly name: string;
  /** What it measures, in one line. */
  readonly about: string;
  run(report: Report): Promise<void>;
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
): Promise<number> => {
  let next = 0;
  const lane = async () => {
    while (next < operations) await operation(next++);
  };
  const ms = await timed(() => Promise.all(Array.from({ length: inFlight }, lane)));
  return (operations / ms) * 1_000;
};

/** The value below which a share of the samples lies: `quantile(samples, 0.99)`. */
export const quantile = (samples: readonly number[], share: number): number =>
  [...samples].sort((a, b) => a - b)[Math.min(samples.length - 1, Math.floor(samples.length * share))] ?? Number.NaN;
