import type { Command } from 'commander';
import { Argument } from 'commander';
import type { GlobalOptions } from '../client/connection.js';
import { connect } from '../client/connection.js';
import { startProgress } from '../client/progress.js';
import { action } from '../command.js';
import { Refusal } from '../refusal.js';
import type { ImportSummary } from './import-file.js';
import { importFile } from './import-file.js';
import type { Mapping } from './mapping.js';
import { IMPORT_KINDS, loadMapping } from './mapping.js';
import { IMPORT_PATIENCE, sendRows } from './send-rows.js';

interface ImportCommandOptions extends GlobalOptions {
  readonly mapping: string;
  readonly dryRun?: boolean;
  readonly purpose: string;
}

/** `makuler import KIND FILE --mapping M`: rows of an export through the same commands as over HTTP, as often as one likes. */
export const registerImport = (program: Command): void => {
  program
    .command('import')
    .description('import an export of another system; running it again adds nothing that is there')
    .addArgument(new Argument('<KIND>', 'what the rows are').choices(IMPORT_KINDS))
    .argument('<FILE>', 'CSV file, UTF-8 or Latin-1, comma or semicolon')
    .requiredOption('--mapping <FILE>', 'YAML file that says which column becomes which field')
    .option('--dry-run', 'check every row and store none')
    .option('--purpose <ID>', 'purpose of the policy that the rows are stored for', 'avtale')
    .action(
      action<ImportCommandOptions, [Mapping['kind'], string]>(async ({ output, options }, kind, file) => {
        const mapping = await mappingFor(kind, options.mapping);
        let said: string | undefined;
        const onWait = ({ message }: Error) => {
          if (message !== said) output.note(`waiting: ${message}`);
          said = message;
        };
        const api = await connect(options, 'integrator', { patience: IMPORT_PATIENCE, onWait });
        const progress = startProgress(`importing ${kind}`, output.json);
        const interruption = interruptible();
        try {
          const summary = await importFile({
            file,
            mapping,
            dryRun: options.dryRun ?? false,
            send: sendRows(api, options.purpose),
            progress: (rows) => progress.update(rows),
            interrupted: interruption.asked,
          });
          progress.end();
          output.result({ ...summary, dryRun: options.dryRun ?? false }, linesOf(kind, options, summary));
          return summary.rejected === 0 && !summary.interrupted;
        } finally {
          progress.end();
          interruption.end();
        }
      }),
    );
};

const mappingFor = async (kind: Mapping['kind'], file: string): Promise<Mapping> => {
  const mapping = await loadMapping(file);
  if (mapping.kind === kind) return mapping;
  throw new Refusal(
    `${file} maps ${mapping.kind}, not ${kind}.`,
    `Say \`makuler import ${mapping.kind}\`, or give another mapping.`,
  );
};

/** The first Ctrl-C lets the batch under way end; the second ends the program, which loses nothing either. */
const interruptible = () => {
  let asked = false;
  const hear = () => {
    if (asked) process.exit(1);
    asked = true;
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, hear);
  return {
    asked: () => asked,
    end: () => {
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, hear);
    },
  };
};

const linesOf = (kind: string, { dryRun }: ImportCommandOptions, summary: ImportSummary): string[] => {
  const { read, created, present, rejected, warnings, notStored, rejects, interrupted } = summary;
  return [
    `${read} ${kind} read${dryRun ? ' (dry run: nothing was stored)' : ''}`,
    `  ${String(created).padStart(7)} ${dryRun ? 'would be created' : 'created'}`,
    `  ${String(present).padStart(7)} present already`,
    `  ${String(rejected).padStart(7)} rejected${rejects === undefined ? '' : `: see ${rejects}`}`,
    ...Object.entries(notStored).map(
      ([category, count]) => `  ${String(count).padStart(7)} without ${category}: past its maximum, not stored`,
    ),
    ...Object.entries(warnings).map(([code, count]) => `  ${String(count).padStart(7)} with the warning ${code}`),
    ...(interrupted ? ['Interrupted: run the same command again, and it goes on.'] : []),
  ];
};
