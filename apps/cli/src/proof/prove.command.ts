import { writeFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import type { Command } from 'commander';
import type { ProofReport } from '#proof';
import { prove, readValues, reportLines, signProof, ValueTooShort } from '#proof';
import type { Pool } from '#postgres';
import { createPool } from '#postgres';
import { SigningKeys } from '#signing';
import type { GlobalOptions } from '../client/connection.js';
import { controlUrlOf } from '../client/control-url.js';
import { stepProgress } from '../backup/progress.js';
import { action } from '../command.js';
import type { Output } from '../output.js';
import { Refusal } from '../refusal.js';
import { installationOf, keptPlaces } from './kept-places.js';

interface ProveOptions extends GlobalOptions {
  readonly out?: string;
  readonly custodian?: string;
  /** `--no-values` was given. */
  readonly values: boolean;
}

/**
 * `makuler prove ID [PATH…]`: what is left of a person. Exit status 0 only when nothing was found and everything was read.
 * The person's values come on standard input, and stand nowhere afterwards.
 */
export const registerProve = (program: Command): void => {
  program
    .command('prove')
    .description('search everything that is kept, or some paths, for a person’s values and for keys to their data')
    .argument('<ID>', 'of a customer, a company, or an erasure')
    .argument('[PATH...]', 'files or directories to search instead of all that the system keeps')
    .option('--out <FILE>', 'where to write the signed report (JWS)')
    .option('--custodian <PLACES>', 'where the custodian’s mirrors are, separated by commas, when nothing runs')
    .option('--no-values', 'do not read values from standard input: search for keys only')
    .addHelpText(
      'after',
      '\nThe values to look for (name, telephone number, e-mail address, …) are read from standard input: JSON, or one on each line.',
    )
    .action(
      action<ProveOptions, [string, string[]]>(async ({ output, options }, id, given) => {
        if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id))
          throw new Refusal('This is no id.', 'Give the id of a customer or of an erasure, as the API does.');
        const values = options.values ? await valuesGiven(output) : [];
        const control = await controlOf(options);
        try {
          const report = await search(id, values, given, control, options);
          const signed = await signedReport(report, control, output);
          if (options.out !== undefined && signed !== undefined)
            await writeFile(options.out, `${signed}\n`, { mode: 0o600 });
          output.result({ report, signed: signed ?? null }, reportLines(report));
          return report.clean && report.complete;
        } finally {
          await control?.end();
        }
      }),
    );
};

const valuesGiven = async (output: Output): Promise<readonly string[]> => {
  if (process.stdin.isTTY) output.note('Type the values to look for, one on each line, and end with Ctrl-D:');
  try {
    return readValues(await text(process.stdin));
  } catch (error) {
    if (error instanceof ValueTooShort)
      throw new Refusal(
        error.message,
        'Give it together with what stands beside it (a first name with the last name).',
      );
    throw error;
  }
};

const search = async (
  id: string,
  values: readonly string[],
  given: readonly string[],
  control: Pool | undefined,
  options: ProveOptions,
): Promise<ProofReport> => {
  const kept = await keptPlaces(options, options.custodian?.split(','), control);
  const progress = stepProgress(options.json ?? false);
  try {
    return await prove({
      id,
      values,
      paths: given.length > 0 ? given : kept.paths,
      whole: given.length === 0,
      running: kept.running && given.length === 0,
      installation: await installationOf(options),
      notReadable: given.length > 0 ? [] : kept.notReadable,
      progress: (step, bytes, total) =>
        progress.update(`${step}, MB`, Math.round(bytes / 1e6), Math.round(total / 1e6)),
    });
  } finally {
    progress.end();
  }
};

/** The control database, which has the inventory and the key to sign with; `undefined` when nothing runs. */
const controlOf = async (options: GlobalOptions): Promise<Pool | undefined> => {
  try {
    return createPool(await controlUrlOf(options), { name: 'makuler prove', max: 1 });
  } catch (error) {
    if (error instanceof Refusal) return undefined;
    throw error;
  }
};

const signedReport = async (
  report: ProofReport,
  control: Pool | undefined,
  output: Output,
): Promise<string | undefined> => {
  if (control) return signProof(report, new SigningKeys(control));
  output.note('The report is not signed, and --out is not written: nothing runs that has the key.');
  return undefined;
};
