import type { Command } from 'commander';
import type { GlobalOptions } from '../client/connection.js';
import { connect } from '../client/connection.js';
import { action } from '../command.js';

interface SweepOptions extends GlobalOptions {
  readonly dryRun?: boolean;
  readonly asOf?: string;
}
type Due = Readonly<Record<string, unknown>>;

/** `makuler retention due|sweep`: what falls due, and the sweep that also runs every night. */
export const registerRetention = (program: Command): void => {
  const retention = program.command('retention').description('what falls due, and the sweep that shreds it');
  retention
    .command('due')
    .description('what is past its date and will be shredded')
    .action(
      action<GlobalOptions, []>(async ({ output, options }) => {
        const api = await connect(options, 'compliance');
        const { items } = (await api.get<{ items: readonly Due[] }>('/v1/retention/due')).body;
        output.result(items, [
          `${items.length} scopes are due.`,
          ...items.map((item) => `  ${Object.values(item).join('  ')}`),
        ]);
      }),
    );
  retention
    .command('sweep')
    .description('shred what is due now, as every night')
    .option('--dry-run', 'only say what it would do')
    .option('--as-of <DAY>', 'as if it were that day; only with --dry-run')
    .action(
      action<SweepOptions, []>(async ({ output, options }) => {
        const api = await connect(options, 'compliance');
        const order = {
          ...(options.dryRun ? { dryRun: true } : {}),
          ...(options.asOf === undefined ? {} : { asOf: options.asOf }),
        };
        const { body } = await api.post<Due>('/v1/retention/sweeps', order);
        output.result(
          body,
          Object.entries(body).map(([name, value]) => `  ${name.padEnd(14)} ${JSON.stringify(value)}`),
        );
      }),
    );
};
