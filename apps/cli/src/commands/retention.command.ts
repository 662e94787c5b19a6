import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import type { MakulerClient, SweepAnswer } from '#client';
import { agreed } from '../client/agreement.js';
import type { GlobalOptions } from '../client/connection.js';
import { connect } from '../client/connection.js';
import { purposeFor } from '../client/purpose.js';
import { action } from '../command.js';
import type { Output } from '../output.js';

interface SweepOptions extends GlobalOptions {
  readonly dryRun?: boolean;
  readonly asOf?: string;
  readonly yes?: boolean;
}

/** `makuler retention due|sweep`: what falls due, and the sweep that also runs every night. */
export const registerRetention = (program: Command): void => {
  const retention = program.command('retention').description('what falls due, and the sweep that shreds it');
  retention
    .command('due')
    .description('what is past its date and will be shredded')
    .action(
      action<GlobalOptions, []>(async ({ output, options }) => {
        const api = await connect(options, 'compliance');
        const purpose = await purposeFor(api, 'compliance', { read: ['request'] });
        const { items } = (await api.get('/v1/retention/due', { purpose })).body;
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
    .option('--yes', 'approve an unusually large sweep without asking')
    .action(
      action<SweepOptions, []>(async ({ output, options }) => {
        const api = await connect(options, 'compliance');
        const order = {
          ...(options.dryRun ? { dryRun: true } : {}),
          ...(options.asOf === undefined ? {} : { asOf: options.asOf }),
        };
        const { body } = await api.post('/v1/retention/sweeps', { body: order });
        if (!('sweepId' in body)) {
          output.result(body, linesOf(body));
          return true;
        }
        if (body.state === 'planned' && !(await approved(body, options, output))) {
          output.result(body, ['Nothing was shredded: the sweep waits for the approval of another person.']);
          return false;
        }
        const done = await finished(api, body.sweepId);
        output.result(done, linesOf(done));
        return true;
      }),
    );
};

const linesOf = (value: object): string[] =>
  Object.entries(value).map(([name, part]) => `  ${name.padEnd(14)} ${JSON.stringify(part)}`);

/** An unusually large sweep is a plan first: shows it, asks, and approves with the token of the role approver. */
const approved = async (sweep: SweepAnswer, options: SweepOptions, output: Output): Promise<boolean> => {
  for (const line of ['This sweep is unusual, and waits for an approval:', ...linesOf(sweep)]) output.note(line);
  // One token is one person, who began it and so may not approve.
  if (options.tokenFile !== undefined) return false;
  if (!options.yes && !(await agreed(output))) return false;
  const approver = await connect(options, 'approver');
  await approver.post('/v1/retention/sweeps/{id}/approve', { path: { id: sweep.sweepId } });
  output.note('Approved with the token of the role approver.');
  return true;
};

const POLL_MS = 300;

/** The sweep once it has ended. */
const finished = async (api: MakulerClient, sweepId: string): Promise<SweepAnswer> => {
  for (;;) {
    const { body } = await api.get('/v1/retention/sweeps/{id}', { path: { id: sweepId } });
    if (body.state === 'finished') return body;
    await sleep(POLL_MS);
  }
};
