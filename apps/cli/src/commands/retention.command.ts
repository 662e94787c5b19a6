import type { Command } from 'commander';
import type { GlobalOptions } from '../client/connection.js';
import { connect } from '../client/connection.js';
import { purposeFor } from '../client/purpose.js';
import { action } from '../command.js';

interface SweepOptions extends GlobalOptions {
  readonly dryRun?: boolean;
  readonly asOf?: string;
  readonly purpose?: string;
}
type Due = Readonly<Record<string, unknown>>;

/** `makuler retention due|sweep`: what falls due, and the sweep that also runs every night. */
export const registerRetention = (program: Command): void => {
  const retention = program.command('retention').description('what falls due, and the sweep that shreds it');
  retention
    .command('due')
    .description('what is past its date and will be shredded')
    .option('--purpose <ID>', 'purpose of the policy; found out when left away')
    .action(
      action<SweepOptions, []>(async ({ output, options }) => {
        const api = await connect(options, 'compliance');
        const purpose = options.purpose ?? (await purposeFor(api, 'compliance', 'request'));
        const items: Due[] = [];
        for (let cursor: string | null | undefined; cursor !== null;) {
          const query = { limit: '500', cursor };
          const { body } = await api.get<{ items: Due[]; nextCursor?: string | null }>('/v1/retention/due', {
            purpose,
            query,
          });
          items.push(...body.items);
          cursor = body.nextCursor ?? null;
        }
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
    .option('--as-of <INSTANT>', 'as if it were then; only with --dry-run')
    .option('--purpose <ID>', 'purpose of the policy; found out when left away')
    .action(
      action<SweepOptions, []>(async ({ output, options }) => {
        const api = await connect(options, 'compliance');
        const purpose = options.purpose ?? (await purposeFor(api, 'compliance', 'request'));
        const order = {
          ...(options.dryRun ? { dryRun: true } : {}),
          ...(options.asOf === undefined ? {} : { asOf: options.asOf }),
        };
        const { body } = await api.post<Due>('/v1/retention/sweeps', order, { purpose });
        output.result(
          body,
          Object.entries(body).map(([name, value]) => `  ${name.padEnd(14)} ${JSON.stringify(value)}`),
        );
      }),
    );
};
