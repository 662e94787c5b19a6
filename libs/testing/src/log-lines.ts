/** A line of a program's log: what every line has, and facts. */
export interface LogLine {
  readonly level: string;
  readonly time: string;
  /** The program. */
  readonly name: string;
  /** What happened. */
  readonly msg: string;
  /** On the lines that others wait for. */
  readonly event?: string;
  readonly [fact: string]: unknown;
}

/** Everything that a program printed, as the lines of its log. Throws at one that is no JSON, or does not say when, how bad, who and what. */
export const logLines = (printed: string, program: string): readonly LogLine[] =>
  printed
    .split('\n')
    .filter((text) => text !== '')
    .map((text) => {
      const line = parsed(text);
      const isWhole =
        /^(debug|info|warn|error|fatal)$/.test(line?.level ?? '') &&
        !Number.isNaN(Date.parse(line?.time ?? '')) &&
        line?.name === program &&
        (line.msg ?? '') !== '';
      if (!isWhole) throw new Error(`this is no line of a log of ${program}: ${text}`);
      return line as LogLine;
    });

const parsed = (text: string): Partial<LogLine> | undefined => {
  try {
    return JSON.parse(text) as Partial<LogLine>;
  } catch {
    return undefined;
  }
};
