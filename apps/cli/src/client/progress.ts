import { Presets, SingleBar } from 'cli-progress';

/** Shows how far long work has come. */
export interface Progress {
  /** `total` may become known, or grow, on the way. */
  update(done: number, total?: number): void;
  end(): void;
}

const LINE_EVERY_MS = 2_000;

/** A bar on a terminal; elsewhere a line every two seconds, and one at the end, on standard error. Silent with `--json`. */
export const startProgress = (what: string, json: boolean): Progress => {
  if (json) return { update: () => undefined, end: () => undefined };
  return process.stderr.isTTY ? bar(what) : lines(what);
};

const bar = (what: string): Progress => {
  const shown = new SingleBar(
    { format: `${what} {bar} {value}/{total}`, hideCursor: true, stream: process.stderr },
    Presets.shades_classic,
  );
  shown.start(0, 0);
  return {
    update: (done, total) => {
      if (total !== undefined) shown.setTotal(total);
      shown.update(done);
    },
    end: () => shown.stop(),
  };
};

const lines = (what: string): Progress => {
  let last = performance.now();
  let unsaid: { readonly done: number; readonly total: number | undefined } | undefined;
  const say = (done: number, total: number | undefined) =>
    void process.stderr.write(`${what}: ${done}${total === undefined ? '' : ` of ${total}`}\n`);
  return {
    update: (done, total) => {
      unsaid = { done, total };
      if (performance.now() - last < LINE_EVERY_MS) return;
      last = performance.now();
      unsaid = undefined;
      say(done, total);
    },
    end: () => {
      if (unsaid) say(unsaid.done, unsaid.total);
      unsaid = undefined;
    },
  };
};
