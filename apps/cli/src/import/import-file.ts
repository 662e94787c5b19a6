import { open, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { ImportBody, ImportRowAnswer } from '#client';
import type { Mapping } from './mapping.js';
import type { ImportRow } from './records.js';
import { recordsOf } from './records.js';

/** Sends one batch; waits out outages itself, under one idempotency key, and throws on what waiting does not mend. */
export type SendRows = (kind: Mapping['kind'], body: ImportBody) => Promise<readonly ImportRowAnswer[]>;

export interface ImportSummary {
  readonly read: number;
  readonly created: number;
  readonly present: number;
  readonly rejected: number;
  readonly warnings: Readonly<Record<string, number>>;
  readonly notStored: Readonly<Record<string, number>>;
  /** Path of the rejects file, if there are any. */
  readonly rejects?: string;
  /** Whether it ended before the end of the file because it was told to. */
  readonly interrupted: boolean;
}

export interface ImportOptions {
  readonly file: string;
  readonly mapping: Mapping;
  readonly dryRun: boolean;
  readonly send: SendRows;
  readonly progress: (rows: number) => void;
  /** Asked between batches: an interrupted import ends after the batch under way and can be run again. */
  readonly interrupted?: () => boolean;
}

const BATCH = 100;
/** Well below what the route takes, so that long invoices make small batches and not a refusal. */
const BATCH_BYTES = 1_000_000;

/**
 * Imports a file, batch by batch, whatever its size. Every row is counted once: created, present (imported before), or
 * rejected, with its reason in a rejects file beside FILE (mode 0600) that holds line numbers and reasons, never a value.
 */
export const importFile = async (options: ImportOptions): Promise<ImportSummary> => {
  const { file, mapping } = options;
  const counts = { read: 0, created: 0, present: 0, rejected: 0 };
  const warnings: Record<string, number> = {};
  const notStored: Record<string, number> = {};
  const rejectsFile = `${file}.rejects.csv`;
  let interrupted = false;
  await rm(rejectsFile, { force: true });
  const reject = async (line: number, reason: string): Promise<void> => {
    counts.rejected++;
    const handle = await open(rejectsFile, 'a', 0o600);
    await handle
      .appendFile(`${counts.rejected === 1 ? 'line,reason\n' : ''}${line},"${reason.replaceAll('"', '""')}"\n`)
      .finally(() => handle.close());
  };
  for await (const batch of batchesOf(recordsOf(file, mapping, dirname(file)))) {
    const rows: ImportBody['rows'][number][] = [];
    for (const row of batch) {
      if ('problem' in row) await reject(row.line, row.problem);
      else rows.push(row);
    }
    const body = { source: mapping.source, dryRun: options.dryRun, rows };
    for (const result of rows.length === 0 ? [] : await options.send(mapping.kind, body)) {
      for (const warning of result.warnings ?? []) warnings[warning] = (warnings[warning] ?? 0) + 1;
      for (const category of result.notStored ?? []) notStored[category] = (notStored[category] ?? 0) + 1;
      if (result.outcome === 'rejected')
        await reject(result.line, (result.errors ?? []).map(({ path, message }) => `${path}: ${message}`).join('; '));
      else counts[result.outcome]++;
    }
    counts.read += batch.length;
    options.progress(counts.read);
    interrupted = options.interrupted?.() ?? false;
    if (interrupted) break;
  }
  return { ...counts, interrupted, warnings, notStored, ...(counts.rejected > 0 ? { rejects: rejectsFile } : {}) };
};

async function* batchesOf(rows: AsyncIterable<ImportRow>): AsyncGenerator<readonly ImportRow[]> {
  let batch: ImportRow[] = [];
  let bytes = 0;
  for await (const row of rows) {
    const size = Buffer.byteLength(JSON.stringify(row));
    if (batch.length === BATCH || (batch.length > 0 && bytes + size > BATCH_BYTES)) {
      yield batch;
      [batch, bytes] = [[], 0];
    }
    batch.push(row);
    bytes += size;
  }
  if (batch.length > 0) yield batch;
}
