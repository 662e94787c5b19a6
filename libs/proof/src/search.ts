import { readAll } from './reading/reading.js';
import { ValueFindings } from './values/value-findings.js';

/** In how many files each value stands, in whatever spelling, encoding and layer. */
export interface ValueSearch {
  readonly files: number;
  readonly bytes: number;
  /** By value. */
  readonly filesWith: ReadonlyMap<string, number>;
}

/** Searches every byte at or below the paths for values, and for nothing else. */
export const searchValues = async (paths: readonly string[], values: readonly string[]): Promise<ValueSearch> => {
  const findings = new ValueFindings(values);
  const { files, bytes } = await readAll(paths, { watches: findings.watches, name: (path) => findings.name(path) });
  const filesWith = values.map((value, index) => {
    const holding = findings.all.filter((finding) => finding.value === index + 1).map(({ file }) => file);
    return [value, new Set(holding).size] as const;
  });
  return { files, bytes, filesWith: new Map(filesWith) };
};
