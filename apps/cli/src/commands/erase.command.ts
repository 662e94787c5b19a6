import type { Command } from 'commander';
import type { MakulerClient, PlanAnswer } from '#client';
import { ApiProblem } from '#client';
import { agreed } from '../client/agreement.js';
import type { GlobalOptions } from '../client/connection.js';
import { connect } from '../client/connection.js';
import { ERASED, followErasure, planLines } from '../client/erasures.js';
import { purposeFor } from '../client/purpose.js';
import { action } from '../command.js';
import type { Output } from '../output.js';
import { Refusal } from '../refusal.js';

interface EraseOptions extends GlobalOptions {
  readonly ground: string;
  readonly purpose?: string;
  readonly company?: boolean;
  readonly yes?: boolean;
}

/** `makuler erase CUSTOMER`: plan, question, approval, execution, and following it to the end. */
export const registerErase = (program: Command): void => {
  program
    .command('erase')
    .description('plan the erasure of a person, show it, and carry it out when you say so')
    .argument('<CUSTOMER>', 'customer id (with --company: id of a sole proprietorship)')
    .option('--company', 'the id is of a company that is a sole proprietorship')
    .option('--ground <ID>', 'ground of the policy', 'subject-request')
    .option('--purpose <ID>', 'purpose of the policy; found out when left away')
    .option('--yes', 'do not ask')
    .action(
      action<EraseOptions, [string]>(async ({ output, options }, id) => {
        const compliance = await connect(options, 'compliance');
        const purpose = options.purpose ?? (await purposeFor(compliance, 'compliance', { write: ['request'] }));
        const subject = options.company ? { companyId: id } : { customerId: id };
        const planned = await compliance.post('/v1/erasures', {
          body: { ...subject, ground: options.ground },
          purpose,
        });
        for (const line of [`Plan ${planned.body.erasureId}`, ...planLines(planned.body)]) output.note(line);
        if (!options.yes && !(await agreed(output))) {
          await compliance.post('/v1/erasures/{id}/give-up', { path: { id: planned.body.erasureId } });
          output.result({ ...planned.body, state: 'givenUp' }, ['Nothing was erased, and the plan is withdrawn.']);
          return false;
        }
        await execute(compliance, planned.body, options, output);
        const done = await followErasure(compliance, planned.body.erasureId, (state) => output.note(`  ${state}`));
        if (done.state !== ERASED) {
          output.result(done, [
            `The erasure ended as ${done.state}: somebody withdrew it, or the plan was no longer true.`,
          ]);
          return false;
        }
        output.result(done, [
          `Erased: unreadable in live systems since ${done.liveErasedAt ?? 'unknown'}.`,
          typeof done.backupsClearedBy !== 'string'
            ? 'Backups: no date yet.'
            : `Backups: planned to be unreadable by ${done.backupsClearedBy}; an attestation follows.`,
          `Certificate: GET ${compliance.address}/v1/erasures/${planned.body.erasureId}/certificate`,
        ]);
        return true;
      }),
    );
};

/** Executes the plan; where the policy asks for four eyes, with the approval of another token first. */
const execute = async (api: MakulerClient, plan: PlanAnswer, options: EraseOptions, output: Output): Promise<void> => {
  const path = { id: plan.erasureId };
  try {
    await api.post('/v1/erasures/{id}/execute', { path });
  } catch (error) {
    if (!(error instanceof ApiProblem) || error.code !== 'plan-not-approved') throw error;
    if (options.tokenFile !== undefined)
      throw new Refusal(
        'The policy asks for the approval of another person.',
        `An approver approves ${plan.erasureId} with the hash ${plan.planHash}.`,
      );
    const approver = await connect(options, 'approver');
    await approver.post('/v1/erasures/{id}/approve', { path, body: { planHash: plan.planHash } });
    output.note('Approved with the token of the role approver.');
    await api.post('/v1/erasures/{id}/execute', { path });
  }
};
