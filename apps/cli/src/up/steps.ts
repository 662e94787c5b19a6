/** Where `makuler up` says what it does. One line per step, with the seconds that it took. */
export interface Steps {
  /** Something is done; `ms` is how long it took. */
  done(what: string, detail: string, ms?: number): void;
  /** Something that the operator should know. */
  warn(text: string): void;
  /** The last word of a start: everything can be asked. */
  ready(facts: Readonly<Record<string, unknown>>, text: readonly string[]): void;
}

type Write = (line: string) => void;

/** Lines for people. */
export const plainSteps = (write: Write): Steps => ({
  done: (what, detail, ms) =>
    write(`  ${what.padEnd(12)} ${ms === undefined ? detail : `${detail.padEnd(52)} ${(ms / 1000).toFixed(1)} s`}`),
  warn: (text) => write(`  ! ${text}`),
  ready: (_, text) => write(`\n${text.join('\n')}\n`),
});

/** One JSON object per line, for scripts: `step`, `warning` and `ready`. */
export const jsonSteps = (write: Write): Steps => ({
  done: (what, detail, ms) =>
    write(JSON.stringify({ event: 'step', what, detail, ...(ms === undefined ? {} : { ms: Math.round(ms) }) })),
  warn: (text) => write(JSON.stringify({ event: 'warning', text })),
  ready: (facts) => write(JSON.stringify({ event: 'ready', ...facts })),
});

/** Runs `work` and reports it as done, with what it resolved to. */
export const timed = async <T>(
  steps: Steps,
  what: string,
  work: () => Promise<T>,
  detail: (result: T) => string,
): Promise<T> => {
  const begun = performance.now();
  const result = await work();
  steps.done(what, detail(result), performance.now() - begun);
  return result;
};
